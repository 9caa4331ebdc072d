//! Amazon's signature, version 4: the one thing about a provider that cannot be data.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as signed};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::Request;
use reqwest::header::{HeaderName, HeaderValue};

use super::description::Sign;
use super::variables::Variables;

/// Signs a request over method, path, type, body and the time of this machine, which may be off by a
/// quarter of an hour.
///
/// # Errors
/// With what is missing, or cannot be signed.
pub fn sign(
    mut request: Request,
    rules: &Sign,
    variables: &Variables<'_>,
) -> Result<Request, String> {
    let fill = |pattern| variables.fill(pattern);
    let value = |pattern| fill(pattern).map(Option::unwrap_or_default);
    let (id, secret) = (value(&rules.access_key_id)?, value(&rules.secret_access_key)?);
    let token = fill(&rules.session_token)?;
    let identity = Credentials::new(id, secret, token, None, "pam-sms").into();
    let region = value(&rules.region)?;
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name(&rules.aws_service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let headers = request.headers().iter();
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let (method, url) = (request.method().as_str(), request.url().as_str());
    let signable = SignableRequest::new(method, url, headers, SignableBody::Bytes(body))
        .map_err(|error| error.to_string())?;
    let (instructions, _) =
        signed(signable, &parameters).map_err(|error| error.to_string())?.into_parts();
    for header in instructions.into_parts().0 {
        let mut value = HeaderValue::from_str(header.value()).map_err(|error| error.to_string())?;
        value.set_sensitive(header.sensitive());
        request.headers_mut().insert(HeaderName::from_static(header.name()), value);
    }
    Ok(request)
}
