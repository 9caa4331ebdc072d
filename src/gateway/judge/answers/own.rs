//! Gateways of one's own.

use super::hold;

#[test]
fn kannel_and_jasmin() {
    hold(
        "kannel",
        &[
            (202, "0: Accepted for delivery", "accepted"),
            (202, "3: Queued for later delivery", "accepted"),
            (202, "4: Something new", "unknown"),
            (200, "0: Accepted for delivery", "unknown"),
            (403, "Authorization failed for sendsms", "auth"),
            (403, "Not routable. Do not try again.", "route"),
            (400, "Missing receiver number, rejected", "recipient"),
            (400, "Number(s) has/have been denied by white- and/or black-lists.", "recipient"),
            (400, "Coding field misformed, rejected", "config"),
            (400, "Invalid content-type", "config"),
            (503, "Temporal failure, try again later.", "transient"),
        ],
    );
    hold(
        "jasmin",
        &[
            (200, r#"Success "07033084-5cfd-4812-90a4-e4d24ffb6e3d""#, "accepted"),
            (200, r#"Success """#, "unknown"),
            (400, r#"Error "Argument [to] has an invalid value: [x].""#, "config"),
            (403, r#"Error "Authentication failure for username:foo""#, "auth"),
            (403, r#"Error "Authorization failed for username:foo""#, "config"),
            (
                403,
                r#"Error "Cannot charge submit_sm, check RouterPB log file for details""#,
                "credit",
            ),
            (412, r#"Error "No route found""#, "route"),
            (
                500,
                r#"Error "Cannot send submit_sm, check SMPPClientManagerPB log file""#,
                "transient",
            ),
        ],
    );
}

#[test]
fn android_sms_gateway() {
    hold(
        "android-sms-gateway",
        &[
            (202, r#"{"id":"PyDmBQZZXYmyxMwED8Fzy","state":"Pending"}"#, "accepted"),
            (201, r#"{"id":"PyDmBQZZXYmyxMwED8Fzy","state":"Processed"}"#, "accepted"),
            (202, r#"{"id":"PyDmBQZZXYmyxMwED8Fzy","state":"Failed"}"#, "unknown"),
            (400, r#"{"message":"invalid phone number"}"#, "config"),
            (401, r#"{"message":"Unauthorized"}"#, "auth"),
            (503, r#"{"message":"queue limit"}"#, "transient"),
        ],
    );
}

#[test]
fn playsms_and_smseagle() {
    let taken = |status: &str, error: &str| {
        format!(
            r#"{{"data":[{{"status":"{status}","error":"{error}","smslog_id":"1"}}],"error_string":null}}"#
        )
    };
    let refused = |code: &str| format!(r#"{{"status":"ERR","error":"{code}","error_string":"x"}}"#);
    hold(
        "playsms",
        &[
            (200, &taken("OK", "0"), "accepted"),
            (200, &taken("ERR", "103"), "credit"),
            (200, &taken("OK", "200"), "transient"),
            (200, &refused("100"), "auth"),
            (200, &refused("105"), "auth"),
            (200, &refused("102"), "config"),
            (200, &refused("200"), "transient"),
            (200, &refused("999"), "unknown"),
        ],
    );
    hold(
        "smseagle",
        &[
            (200, r#"{"result":{"message_id":"748","status":"ok"}}"#, "accepted"),
            (
                200,
                r#"{"result":{"status":"error","error_text":"Invalid login or password"}}"#,
                "auth",
            ),
            (401, r#"{"result":"Invalid login or password"}"#, "auth"),
            (200, r#"{"result":{"status":"error","error_text":"Wrong parameters"}}"#, "config"),
            (200, r#"{"result":{"status":"error","error_text":"No modem"}}"#, "unknown"),
            (200, r#"{"result":"OK; ID=297"}"#, "unknown"),
        ],
    );
}
