//! The descriptions that the program brings along.

/// The descriptions that are built in, by kind.
pub const BUILT_IN: [(&str, &str); 21 + cfg!(feature = "sns") as usize] = [
    ("android-sms-gateway", include_str!("../providers/android-sms-gateway.toml")),
    #[cfg(feature = "sns")]
    ("aws-sns", include_str!("../providers/aws-sns.toml")),
    ("bird", include_str!("../providers/bird.toml")),
    ("bulksms", include_str!("../providers/bulksms.toml")),
    ("clickatell", include_str!("../providers/clickatell.toml")),
    ("clickatell-legacy", include_str!("../providers/clickatell-legacy.toml")),
    ("clickatell-platform", include_str!("../providers/clickatell-platform.toml")),
    ("clicksend", include_str!("../providers/clicksend.toml")),
    ("infobip", include_str!("../providers/infobip.toml")),
    ("jasmin", include_str!("../providers/jasmin.toml")),
    ("kannel", include_str!("../providers/kannel.toml")),
    ("messagebird", include_str!("../providers/messagebird.toml")),
    ("playsms", include_str!("../providers/playsms.toml")),
    ("plivo", include_str!("../providers/plivo.toml")),
    ("sinch", include_str!("../providers/sinch.toml")),
    ("smsc", include_str!("../providers/smsc.toml")),
    ("smseagle", include_str!("../providers/smseagle.toml")),
    ("telnyx", include_str!("../providers/telnyx.toml")),
    ("twilio", include_str!("../providers/twilio.toml")),
    ("twilio-verify", include_str!("../providers/twilio-verify.toml")),
    ("vonage", include_str!("../providers/vonage.toml")),
    ("vonage-messages", include_str!("../providers/vonage-messages.toml")),
];
