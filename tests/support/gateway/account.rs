//! The accounts the pretend gateway knows, one set for each provider.
//!
//! Identifiers have the shape of the provider's own. Secrets hold what breaks careless encoding:
//! `&`, `+`, `%` and a space split or change a form, `:` a Basic header, `é` whatever is taken
//! for Latin-1. None of them holds a single quote, so that [`ALL`] can be pasted into a shell.

macro_rules! accounts {
    ($($(#[$doc:meta])* $name:ident = $value:expr;)*) => {
        $($(#[$doc])* pub const $name: &str = $value;)*

        /// Every constant above with its name, for programs that are not written in Rust.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

accounts! {
    /// Twilio's account, in the path of every request and a user name by itself.
    TWILIO_SID = "AC5f0c1d7e93b24a6f8e1b0c2d3a4f5e6d";
    /// The secret that goes with [`TWILIO_SID`].
    TWILIO_TOKEN = "c0ffee & 50% +tax: é0123456789ab";
    /// An API key: the other pair of credentials, for the same account.
    TWILIO_KEY_SID = "SK7a1b2c3d4e5f60718293a4b5c6d7e8f9";
    /// The secret that goes with [`TWILIO_KEY_SID`].
    TWILIO_KEY_SECRET = "Zq+7%2B:r&5 tÉ/9w=K";
    /// The one number this account may send from.
    TWILIO_FROM = "+15017122661";
    /// The one messaging service of this account.
    TWILIO_MG = "MG0a1b2c3d4e5f60718293a4b5c6d7e8f9";

    /// Clickatell's key, for One API and for the platform's REST interface.
    CLICKATELL_KEY = "Yp4+t/9QSaGv2mXw%3DkL0==";
    /// A second key, good for One API only, as for the integration a country needs of its own.
    CLICKATELL_USA_KEY = "Us7/kR+1dTzNb5eWq&8hFw==";
    /// The user of Clickatell's legacy interface.
    CLICKATELL_USER = "acme & söhne";
    /// The secret that goes with [`CLICKATELL_USER`].
    CLICKATELL_PASSWORD = "p&ss+w%rd=é ;#1";
    /// The product number that goes with [`CLICKATELL_USER`].
    CLICKATELL_API_ID = "3456789";

    /// SMSC's user.
    SMSC_LOGIN = "acme+sms";
    /// The secret that goes with [`SMSC_LOGIN`].
    SMSC_PASSWORD = "100% s&cret+é =?";
    /// What SMSC takes in place of login and password.
    SMSC_APIKEY = "k9%2F+Tz&b1 éQ==";

    /// The secret of the interface nobody sells, for providers an admin describes.
    CUSTOM_TOKEN = "tok+en/&%41=7f3a";
}
