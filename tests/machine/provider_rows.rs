//! Every way to take a message, and a provider's table for it: one row for each kind, and one more
//! where there are two sorts of credentials, senders or addresses.

use pam_sms::gateway::description::BUILT_IN;

use crate::support::gateway::account::*;

pub fn twilio() -> String {
    table(
        "twilio",
        &[("account_sid", TWILIO_SID), ("auth_token", TWILIO_TOKEN), ("from", TWILIO_FROM)],
    )
}

/// The kind of each, and what stands in its `[[provider]]`.
pub fn tables() -> Vec<(&'static str, String)> {
    let rows: &[(&str, &[(&str, &str)])] = &[
        (
            "twilio",
            &[
                ("account_sid", TWILIO_SID),
                ("api_key_sid", TWILIO_KEY_SID),
                ("api_key_secret", TWILIO_KEY_SECRET),
                ("messaging_service_sid", TWILIO_MG),
            ],
        ),
        (
            "twilio-verify",
            &[
                ("account_sid", TWILIO_SID),
                ("auth_token", TWILIO_TOKEN),
                ("service_sid", TWILIO_VERIFY),
            ],
        ),
        ("clickatell", &[("api_key", CLICKATELL_KEY)]),
        ("clickatell-platform", &[("api_key", CLICKATELL_KEY)]),
        (
            "clickatell-legacy",
            &[
                ("user", CLICKATELL_USER),
                ("password", CLICKATELL_PASSWORD),
                ("api_id", CLICKATELL_API_ID),
                ("from", "Acme"),
            ],
        ),
        ("smsc", &[("login", SMSC_LOGIN), ("password", SMSC_PASSWORD), ("from", "Acme")]),
        ("smsc", &[("api_key", SMSC_APIKEY)]),
        (
            "aws-sns",
            &[
                ("region", AWS_REGION),
                ("access_key_id", AWS_KEY_ID),
                ("secret_access_key", AWS_SECRET),
            ],
        ),
        (
            "aws-sns",
            &[
                ("region", AWS_REGION),
                ("access_key_id", AWS_KEY_ID),
                ("secret_access_key", AWS_SECRET),
                ("session_token", AWS_TOKEN),
                ("from", "Acme"),
            ],
        ),
        ("vonage", &[("api_key", VONAGE_KEY), ("api_secret", VONAGE_SECRET), ("from", "Acme")]),
        (
            "vonage-messages",
            &[("api_key", VONAGE_KEY), ("api_secret", VONAGE_SECRET), ("from", "15017122661")],
        ),
        ("messagebird", &[("api_key", MESSAGEBIRD_KEY), ("from", "Acme")]),
        ("bird", &[("api_key", BIRD_KEY), ("from", "+15017122661")]),
        ("plivo", &[("auth_id", PLIVO_ID), ("auth_token", PLIVO_TOKEN), ("from", PLIVO_FROM)]),
        (
            "plivo",
            &[
                ("auth_id", PLIVO_ID),
                ("auth_token", PLIVO_TOKEN),
                ("powerpack_uuid", PLIVO_POWERPACK),
            ],
        ),
        ("telnyx", &[("api_key", TELNYX_KEY), ("from", "+15017122661")]),
        ("telnyx", &[("api_key", TELNYX_KEY), ("messaging_profile_id", TELNYX_PROFILE)]),
        ("infobip", &[("api_key", INFOBIP_KEY), ("from", "Acme")]),
        ("sinch", &[("service_plan_id", SINCH_PLAN), ("api_token", SINCH_TOKEN), ("from", "Acme")]),
        ("clicksend", &[("username", CLICKSEND_USER), ("password", CLICKSEND_KEY)]),
        ("bulksms", &[("username", BULKSMS_ID), ("password", BULKSMS_SECRET), ("from", "Acme")]),
        ("kannel", &[("username", KANNEL_USER), ("password", KANNEL_PASSWORD), ("from", "Acme")]),
        ("jasmin", &[("username", JASMIN_USER), ("password", JASMIN_PASSWORD), ("from", "Acme")]),
        (
            "android-sms-gateway",
            &[("mode", "cloud"), ("username", ANDROID_USER), ("password", ANDROID_PASSWORD)],
        ),
        (
            "android-sms-gateway",
            &[("mode", "local"), ("username", ANDROID_USER), ("password", ANDROID_PASSWORD)],
        ),
        ("playsms", &[("username", PLAYSMS_USER), ("token", PLAYSMS_TOKEN), ("from", "Acme")]),
        ("smseagle", &[("token", SMSEAGLE_TOKEN)]),
    ];
    // `aws-sns` may have been left out.
    let is_built = |kind: &str| BUILT_IN.iter().any(|(known, _)| *known == kind);
    let made = rows.iter().filter(|(kind, _)| is_built(kind));
    let made = made.map(|(kind, keys)| (*kind, table(kind, keys)));
    std::iter::once(("twilio", twilio())).chain(made).collect()
}

fn table(kind: &str, keys: &[(&str, &str)]) -> String {
    let lines = keys.iter().map(|(key, value)| format!("\n{key}='{value}'"));
    std::iter::once(format!("kind='{kind}'")).chain(lines).collect()
}
