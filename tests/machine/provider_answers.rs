//! What each provider answers when something is wrong, as its pages, its own client or its software have
//! it; nothing where no such answer is known.

/// A status and a body.
pub type Answer = Option<(u16, &'static str)>;

/// To a number that takes nothing, to one that has opted out, to a wrong key, to an account without money,
/// and to too much at once.
pub fn answers(kind: &str) -> [Answer; 5] {
    match kind {
        "twilio" => [
            Some((400, r#"{"code":21211,"message":"Invalid 'To' Phone Number","status":400}"#)),
            Some((
                400,
                r#"{"code":21610,"message":"Attempt to send to unsubscribed","status":400}"#,
            )),
            Some((401, r#"{"code":20003,"message":"Authenticate","status":401}"#)),
            None,
            Some((429, r#"{"code":20429,"message":"Too Many Requests","status":429}"#)),
        ],
        "aws-sns" => [
            Some((
                400,
                "<Error><Code>InvalidParameter</Code><Message>Invalid parameter: PhoneNumber Reason: x</Message></Error>",
            )),
            Some((400, "<Error><Code>OptedOut</Code><Message>x</Message></Error>")),
            Some((403, "<Error><Code>SignatureDoesNotMatch</Code><Message>x</Message></Error>")),
            None,
            Some((400, "<Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error>")),
        ],
        "clickatell" => [
            Some((
                207,
                r#"{"messages":[{"accepted":false,"error":{"code":25,"description":"x"}}],"error":null}"#,
            )),
            Some((
                207,
                r#"{"messages":[{"accepted":false,"error":{"code":26,"description":"x"}}],"error":null}"#,
            )),
            Some((401, r#"{"messages":[],"error":{"code":1,"description":"Invalid APIKey"}}"#)),
            Some((402, r#"{"messages":[],"error":{"code":20,"description":"No credit"}}"#)),
            Some((400, r#"{"messages":[],"error":{"code":43,"description":"Rate limit"}}"#)),
        ],
        "clickatell-platform" => [
            Some((
                202,
                r#"{"messages":[{"accepted":false,"errorCode":105,"error":"x"}],"error":null}"#,
            )),
            Some((
                202,
                r#"{"messages":[{"accepted":false,"errorCode":122,"error":"x"}],"error":null}"#,
            )),
            Some((401, r#"{"messages":[],"errorCode":108,"error":"Invalid or missing API Key"}"#)),
            Some((
                202,
                r#"{"messages":[{"accepted":false,"errorCode":301,"error":"x"}],"error":null}"#,
            )),
            None,
        ],
        "clickatell-legacy" => [
            Some((200, "ERR: 105, Invalid destination address")),
            Some((200, "ERR: 122, Destination mobile address blocked")),
            Some((200, "ERR: 001, Authentication failed")),
            Some((200, "ERR: 301, No credit left")),
            Some((200, "ERR: 130, Maximum MT limit exceeded")),
        ],
        "smsc" => [
            Some((200, r#"{"error":"invalid number","error_code":7}"#)),
            None,
            Some((200, r#"{"error":"authorise error","error_code":2}"#)),
            Some((200, r#"{"error":"not enough credits","error_code":3}"#)),
            Some((200, r#"{"error":"duplicate request","error_code":9}"#)),
        ],
        "vonage" => [
            Some((200, r#"{"messages":[{"status":"7","error-text":"Number barred"}]}"#)),
            None,
            Some((200, r#"{"messages":[{"status":"4","error-text":"Invalid credentials"}]}"#)),
            Some((200, r#"{"messages":[{"status":"9","error-text":"Quota exceeded"}]}"#)),
            Some((200, r#"{"messages":[{"status":"1","error-text":"Throttled"}]}"#)),
        ],
        "vonage-messages" => [
            Some((
                422,
                r#"{"type":"https://developer.vonage.com/api-errors/messages#1050","title":"Number barred"}"#,
            )),
            None,
            Some((
                401,
                r#"{"type":"https://developer.vonage.com/api-errors#unauthorized","title":"x"}"#,
            )),
            Some((
                402,
                r#"{"type":"https://developer.vonage.com/api-errors#low-balance","title":"x"}"#,
            )),
            Some((
                429,
                r#"{"type":"https://developer.vonage.com/api-errors/messages#1000","title":"x"}"#,
            )),
        ],
        "messagebird" => [
            Some((422, r#"{"errors":[{"code":9,"description":"x","parameter":"recipients"}]}"#)),
            None,
            Some((401, r#"{"errors":[{"code":2,"description":"x","parameter":"access_key"}]}"#)),
            Some((402, r#"{"errors":[{"code":25,"description":"x","parameter":null}]}"#)),
            Some((429, "")),
        ],
        "bird" => [
            Some((202, r#"{"id":"sms_1","status":"rejected","error_code":"invalid_destination"}"#)),
            Some((202, r#"{"id":"sms_1","status":"rejected","error_code":"recipient_opted_out"}"#)),
            Some((401, r#"{"error":{"type":"auth_error","message":"x"}}"#)),
            Some((402, r#"{"error":{"type":"billing_error","message":"x"}}"#)),
            Some((429, r#"{"error":{"type":"rate_limit_error","message":"x"}}"#)),
        ],
        "plivo" => [
            Some((400, r#"{"api_id":"x","error":"dst is not a valid phone number"}"#)),
            None,
            Some((401, r#"{"api_id":"x","error":"authentication failed"}"#)),
            Some((402, r#"{"api_id":"x","error":"insufficient balance"}"#)),
            Some((429, r#"{"api_id":"x","error":"too many requests"}"#)),
        ],
        "telnyx" => [
            Some((400, r#"{"errors":[{"code":"10002","title":"Invalid phone number"}]}"#)),
            Some((403, r#"{"errors":[{"code":"40300","title":"Blocked due to STOP message"}]}"#)),
            Some((401, r#"{"errors":[{"code":"10009","title":"Authentication failed"}]}"#)),
            Some((403, r#"{"errors":[{"code":"20100","title":"Insufficient funds"}]}"#)),
            Some((429, r#"{"errors":[{"code":"10011","title":"Too many requests"}]}"#)),
        ],
        "infobip" => [
            Some((
                200,
                r#"{"messages":[{"messageId":"2","status":{"groupId":5,"name":"REJECTED_DESTINATION"}}]}"#,
            )),
            Some((
                200,
                r#"{"messages":[{"messageId":"2","status":{"groupId":5,"name":"REJECTED_USER_UNSUBSCRIBED"}}]}"#,
            )),
            Some((401, r#"{"errorCode":"E401","description":"x"}"#)),
            Some((
                200,
                r#"{"messages":[{"messageId":"2","status":{"groupId":5,"name":"REJECTED_NOT_ENOUGH_CREDITS"}}]}"#,
            )),
            Some((429, "")),
        ],
        "sinch" => [
            Some((400, r#"{"code":"syntax_invalid_parameter_format","text":"x"}"#)),
            None,
            Some((401, "")),
            None,
            Some((429, "")),
        ],
        "clicksend" => [
            Some((
                200,
                r#"{"response_code":"SUCCESS","data":{"messages":[{"status":"INVALID_RECIPIENT"}]}}"#,
            )),
            None,
            Some((401, r#"{"http_code":401,"response_code":"UNAUTHORIZED","data":null}"#)),
            Some((
                200,
                r#"{"response_code":"SUCCESS","data":{"messages":[{"status":"INSUFFICIENT_CREDIT"}]}}"#,
            )),
            Some((429, r#"{"http_code":429,"response_code":"TOO_MANY_REQUESTS"}"#)),
        ],
        "bulksms" => [
            Some((400, r#"{"type":"https://developer.bulksms.com/json/v1/errors#bad-request"}"#)),
            None,
            Some((
                401,
                r#"{"type":"https://developer.bulksms.com/json/v1/errors#authentication-failed"}"#,
            )),
            Some((
                403,
                r#"{"type":"https://developer.bulksms.com/json/v1/errors#insufficient-credits"}"#,
            )),
            Some((429, "")),
        ],
        "kannel" => [
            Some((400, "Missing receiver number, rejected")),
            Some((400, "Number(s) has/have been denied by white- and/or black-lists.")),
            Some((403, "Authorization failed for sendsms")),
            None,
            None,
        ],
        "jasmin" => [
            Some((400, r#"Error "Argument [to] has an invalid value: [x].""#)),
            None,
            Some((403, r#"Error "Authentication failure for username:foo""#)),
            Some((403, r#"Error "Cannot charge submit_sm, check RouterPB log file for details""#)),
            None,
        ],
        "android-sms-gateway" => [
            Some((400, r#"{"message":"invalid phone number"}"#)),
            None,
            Some((401, r#"{"message":"Unauthorized"}"#)),
            None,
            Some((429, "")),
        ],
        "playsms" => [
            None,
            None,
            Some((200, r#"{"status":"ERR","error":"100","error_string":"x"}"#)),
            Some((200, r#"{"data":[{"status":"ERR","error":"103"}]}"#)),
            None,
        ],
        "smseagle" => [
            None,
            None,
            Some((
                200,
                r#"{"result":{"status":"error","error_text":"Invalid login or password"}}"#,
            )),
            None,
            None,
        ],
        other => panic!("what does {other} answer when something is wrong?"),
    }
}
