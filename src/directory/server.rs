//! One server: connect, bind, search, each timed.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry,
    SearchOptions, StdStream,
};
use reqwest::Url;
use tokio::runtime::Builder;
use tokio::task::LocalSet;
use tokio::time::timeout_at;

use super::Directory;
use super::bound::Bound;
use crate::gateway::connect::{self, is_shortage};
use crate::sys::names::NoAddress;

/// Result codes (RFC 4511, appendix A).
const SIZE_LIMIT: u32 = 4;
const REFERRAL: u32 = 10;
const INVALID_CREDENTIALS: u32 = 49;
const BUSY: u32 = 51;
const UNAVAILABLE: u32 = 52;

/// Where a server is.
#[derive(Debug)]
pub struct Server {
    url: Url,
    start_tls: bool,
}

/// Why a server gave no answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It could not be asked (connected to, believed, told who we are), was lost, did not answer in time, or
    /// said that it has no time.
    OutOfReach(String),
    /// It was asked, and what it said is no answer.
    Failed(String),
    /// This machine has too little of something, which anybody with a shell can see to.
    Shortage(String),
}

impl Attempt {
    /// The same of a server that has not been asked yet: it has not said a word about anybody.
    fn before_asking(self) -> Self {
        match self {
            Self::OutOfReach(words) | Self::Failed(words) => Self::OutOfReach(words),
            Self::Shortage(words) => Self::Shortage(words),
        }
    }
}

impl Server {
    /// The server of an URL, `ldaps://host` or `ldap://host`.
    ///
    /// # Errors
    /// In words, when it is none.
    pub fn parse(written: &str, start_tls: bool) -> Result<Self, String> {
        let wrong = || format!("`{written}` must be an address like ldaps://ldap.example.org");
        let url = Url::parse(written).map_err(|_| wrong())?;
        let is_bare = matches!(url.path(), "" | "/")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        let has_host = url.host_str().is_some_and(|host| !host.is_empty());
        if !matches!(url.scheme(), "ldap" | "ldaps") || !is_bare || !has_host {
            return Err(wrong());
        }
        if start_tls && url.scheme() == "ldaps" {
            return Err(format!("{written} is encrypted from the start: `start_tls` is for ldap:"));
        }
        let server = Self { url, start_tls };
        if server.is_encrypted() && server.host().contains(':') {
            return Err(format!("{written}: write a name, which its certificate can bear"));
        }
        Ok(server)
    }

    /// Whether what is said to it can be read by nobody else.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.start_tls || self.url.scheme() == "ldaps"
    }

    /// Whether it is on this machine.
    #[must_use]
    pub fn is_here(&self) -> bool {
        let is_loopback = |ip: IpAddr| ip.is_loopback();
        self.host() == "localhost" || self.host().parse().is_ok_and(is_loopback)
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default().trim_matches(['[', ']'])
    }

    /// The entries of `user`, and how long each step took, for people.
    pub fn ask(
        &self,
        directory: &Directory,
        user: &str,
        deadline: Instant,
    ) -> Result<(Vec<SearchEntry>, String), Attempt> {
        let local = |error: io::Error| Attempt::Shortage(format!("local: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(local)?;
        let begun = Instant::now();
        let stream = self.connect(deadline).map_err(Attempt::before_asking)?;
        let here = LocalSet::new();
        let conversation = async {
            let (stream, most) = Bound::before(stream, &here).map_err(local)?;
            let explain = |attempt| match most.is_reached() {
                true => Attempt::Failed("says more than anybody's entry can hold".to_owned()),
                false => attempt,
            };
            let before = |attempt| explain(attempt).before_asking();
            let mut ldap = self.greet(stream, directory).await.map_err(before)?;
            let connected = Instant::now();
            bind(&mut ldap, directory).await.map_err(before)?;
            let bound = Instant::now();
            let entries = search(&mut ldap, directory, user, deadline).await.map_err(explain)?;
            let searched = Instant::now();
            // A good-bye, which has no answer.
            let _ = ldap.unbind().await;
            most.flush().await;
            let ms = |from: Instant, to: Instant| (to - from).as_millis();
            let via = format!(
                "{self} (connected in {} ms, bound in {} ms, searched in {} ms)",
                ms(begun, connected),
                ms(connected, bound),
                ms(bound, searched)
            );
            Ok((entries, via))
        };
        let late = || Attempt::OutOfReach("does not answer in time".to_owned());
        here.block_on(&runtime, async {
            timeout_at(deadline.into(), conversation).await.unwrap_or_else(|_| Err(late()))
        })
    }

    /// Name look-ups and connections are ours, so that they keep the deadline.
    fn connect(&self, deadline: Instant) -> Result<TcpStream, Attempt> {
        let port = self.url.port().unwrap_or(if self.url.scheme() == "ldaps" { 636 } else { 389 });
        let left = || deadline.saturating_duration_since(Instant::now());
        let addresses = connect::resolve(self.host(), port, (left() / 2).min(connect::CONNECT));
        let addresses = addresses.map_err(|reason| {
            let said = connect::no_address(self.host(), &reason);
            match reason {
                NoAddress::Ours(_) => Attempt::Shortage(said),
                NoAddress::NotNow | NoAddress::Never(_) => Attempt::OutOfReach(said),
            }
        })?;
        let mut shortage = None;
        let mut last = Attempt::OutOfReach("no time left".to_owned());
        for (index, address) in addresses.iter().enumerate() {
            let share = left() / u32::try_from(addresses.len() - index).unwrap_or(1);
            // One that leaves no time to be spoken to is of no use.
            let share = (share * 3 / 4).min(connect::CONNECT);
            if share < Duration::from_millis(1) {
                break;
            }
            match TcpStream::connect_timeout(address, share) {
                Ok(stream) => {
                    // Small questions; without it nothing is lost but time.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) if is_shortage(&error, *address) => {
                    shortage = Some(Attempt::Shortage(format!("local: connect: {error}")));
                }
                Err(error) => last = of_io(&error, "connect"),
            }
        }
        Err(shortage.unwrap_or(last))
    }

    async fn greet(&self, stream: TcpStream, directory: &Directory) -> Result<Ldap, Attempt> {
        let mut settings = LdapConnSettings::new()
            .set_starttls(self.start_tls)
            .set_std_stream(StdStream::Tcp(stream));
        if let Some(tls) = &directory.tls {
            settings = settings.set_config(Arc::new(tls.clone()));
        }
        let opened = LdapConnAsync::from_url_with_settings(settings, &self.url).await;
        let (connection, ldap) = opened.map_err(|error| of_ldap(error, "tls"))?;
        // It ends with the runtime; what goes wrong is told by the question that waits.
        drop(tokio::spawn(async move { connection.drive().await }));
        Ok(ldap)
    }
}

async fn bind(ldap: &mut Ldap, directory: &Directory) -> Result<(), Attempt> {
    let bound = match (&directory.rules.bind_dn, &directory.password) {
        (Some(dn), Some(password)) => ldap.simple_bind(dn, password.expose()).await,
        _ if directory.rules.has_identity() => ldap.sasl_external_bind().await,
        _ => return Ok(()),
    };
    judge(&bound.map_err(|error| of_ldap(error, "bind"))?, "bind")
}

async fn search(
    ldap: &mut Ldap,
    directory: &Directory,
    user: &str,
    deadline: Instant,
) -> Result<Vec<SearchEntry>, Attempt> {
    let rules = &directory.rules;
    let seconds = deadline.saturating_duration_since(Instant::now()).as_secs() + 1;
    let options = SearchOptions::new()
        // One more than there may be.
        .sizelimit(2)
        .timelimit(i32::try_from(seconds).unwrap_or(i32::MAX));
    let lost = |error| of_ldap(error, "search");
    let mut stream = ldap
        .with_search_options(options)
        .streaming_search(&rules.base, Scope::Subtree, &rules.filter_for(user), rules.attributes())
        .await
        .map_err(lost)?;
    let (mut entries, mut refers) = (Vec::new(), false);
    while let Some(found) = stream.next().await.map_err(lost)? {
        if found.is_ref() {
            refers = true;
        } else if !found.is_intermediate() {
            entries.push(SearchEntry::construct(found));
        }
        if entries.len() > 1 {
            return Ok(entries);
        }
    }
    let result = stream.finish().await;
    if result.rc != SIZE_LIMIT {
        judge(&result, "search")?;
    }
    match entries.is_empty() {
        // Whom it does not have, another may: that is not "nobody".
        true if refers || result.rc == SIZE_LIMIT => Err(Attempt::Failed(
            "search: it has no such entry and refers to other servers, which is not followed"
                .into(),
        )),
        _ => Ok(entries),
    }
}

fn judge(result: &LdapResult, step: &str) -> Result<(), Attempt> {
    let words = || match result.text.is_empty() {
        true => format!("{step}: result code {}", result.rc),
        false => format!("{step}: result code {}, {:?}", result.rc, result.text),
    };
    match result.rc {
        0 => Ok(()),
        BUSY | UNAVAILABLE => Err(Attempt::OutOfReach(words())),
        REFERRAL => Err(Attempt::Failed(format!(
            "{step}: it refers to other servers, which is not followed"
        ))),
        INVALID_CREDENTIALS => {
            Err(Attempt::Failed(format!("{step}: it does not take our name and password")))
        }
        _ => Err(Attempt::Failed(words())),
    }
}

fn of_ldap(error: LdapError, step: &str) -> Attempt {
    match error {
        LdapError::Io { source } => of_io(&source, step),
        LdapError::LdapResult { result } => {
            let failed = judge(&result, step).err();
            failed.unwrap_or_else(|| Attempt::Failed(format!("{step}: an answer out of place")))
        }
        LdapError::OpSend { .. } | LdapError::ResultRecv { .. } | LdapError::EndOfStream => {
            Attempt::OutOfReach(format!("{step}: the connection is lost"))
        }
        other => Attempt::Failed(format!("{step}: {other}")),
    }
}

fn of_io(error: &io::Error, step: &str) -> Attempt {
    let words = format!("{step}: {error}");
    match error.kind() {
        ErrorKind::TimedOut
        | ErrorKind::WouldBlock
        | ErrorKind::UnexpectedEof
        | ErrorKind::ConnectionRefused
        | ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable => Attempt::OutOfReach(words),
        _ => Attempt::Failed(words),
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.as_str())
    }
}
