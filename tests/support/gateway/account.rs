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

    /// The one Verify service of this account.
    TWILIO_VERIFY = "VA0a1b2c3d4e5f60718293a4b5c6d7e8f9";

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

    /// Amazon's access key, which is no secret.
    AWS_KEY_ID = "AKIAIOSFODNN7EXAMPLE";
    /// The secret that goes with [`AWS_KEY_ID`].
    AWS_SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY=";
    /// What goes with a key that lasts only for a while.
    AWS_TOKEN = "IQoJb3JpZ2luX2VjEJr+//wEa/CXVzLWVhc3Q==";
    /// The region of the account.
    AWS_REGION = "eu-central-1";

    /// Vonage's key, which is no secret.
    VONAGE_KEY = "a1b2c3d4";
    /// The secret that goes with [`VONAGE_KEY`].
    VONAGE_SECRET = "Vq+7%2B&r5 té/9";
    /// MessageBird's access key.
    MESSAGEBIRD_KEY = "live_mB9+x/Q7==";
    /// Bird's API key.
    BIRD_KEY = "bk_us1_7Hq+x/Z%3D9==";
    /// Plivo's account, in the path of every request and the user name.
    PLIVO_ID = "MAMZQ2YTRINZ0WNTNIND";
    /// The secret that goes with [`PLIVO_ID`].
    PLIVO_TOKEN = "Pl+7%2B:&r5 té/9w=";
    /// The one number Plivo's account may send from.
    PLIVO_FROM = "15017122662";
    /// The one Powerpack of Plivo's account.
    PLIVO_POWERPACK = "5ec4c8c9-cd74-42b5-9e41-0d7670d6bb46";
    /// Telnyx's key.
    TELNYX_KEY = "KEY0173A1+x/b%2==";
    /// The one messaging profile of Telnyx's account.
    TELNYX_PROFILE = "abc85f64-5717-4562-b3fc-2c9600000000";
    /// Infobip's key.
    INFOBIP_KEY = "003026+bbc/133714-%3d0==";
    /// Sinch's service plan, in the path of every request; a space in it has to be encoded.
    SINCH_PLAN = "plan 7f/41";
    /// The secret that goes with [`SINCH_PLAN`].
    SINCH_TOKEN = "tok3n+/%41=sinch";
    /// ClickSend's user.
    CLICKSEND_USER = "acme+sms@example.org";
    /// The secret that goes with [`CLICKSEND_USER`].
    CLICKSEND_KEY = "D83DED51-9E35-4D42-9BB9-0E34B7CA85AE: é";
    /// The ID of BulkSMS's token.
    BULKSMS_ID = "0123ABCDE-01-9";
    /// The secret that goes with [`BULKSMS_ID`].
    BULKSMS_SECRET = "b*lk:+%2B &é=";
    /// The user of Kannel.
    KANNEL_USER = "acme sms";
    /// The secret that goes with [`KANNEL_USER`]: in a header, so it is ASCII.
    KANNEL_PASSWORD = "k&nn+l %2B=:;p";
    /// The user of Jasmin.
    JASMIN_USER = "acme+jasmin";
    /// The secret that goes with [`JASMIN_USER`].
    JASMIN_PASSWORD = "j&sm+n %2Bé=";
    /// The user that the Android app shows.
    ANDROID_USER = "SK4DFN";
    /// The secret that goes with [`ANDROID_USER`].
    ANDROID_PASSWORD = "yx2g:b+%2B é";
    /// The user of playSMS.
    PLAYSMS_USER = "acme&play";
    /// The secret that goes with [`PLAYSMS_USER`].
    PLAYSMS_TOKEN = "cb0b+2a47 %2Bé=";
    /// The access token of the SMSEagle box.
    SMSEAGLE_TOKEN = "0005gOjC\\\"é+%2B";

    /// The secret of the interface nobody sells, for providers an admin describes.
    CUSTOM_TOKEN = "tok+en/&%41=7f3a";
}
