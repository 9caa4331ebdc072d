//! From the password to the provider's answer: what goes over the network, as a proxy on the way sees it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::gateway::{Gateway, account};
use crate::support::machine::Machine;
use crate::support::pam::Client;

/// How long the proxy keeps each piece, so that what is sent without waiting comes through together.
const DELAY: Duration = Duration::from_millis(100);

/// Bytes of one direction after the other.
type Flights = Arc<Mutex<Vec<(Side, Vec<u8>)>>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Helper,
    Gateway,
}

/// Passes one connection on.
fn proxy(to: u16) -> (u16, Flights) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let flights = Flights::default();
    let seen = flights.clone();
    thread::spawn(move || {
        let (helper, _) = listener.accept().unwrap();
        let gateway = TcpStream::connect(("127.0.0.1", to)).unwrap();
        let ways =
            [(Side::Helper, &helper, &gateway), (Side::Gateway, &gateway, &helper)].map(|way| {
                let (side, from, to) =
                    (way.0, way.1.try_clone().unwrap(), way.2.try_clone().unwrap());
                let seen = seen.clone();
                thread::spawn(move || pass_on(side, from, to, &seen))
            });
        for way in ways {
            way.join().unwrap();
        }
    });
    (port, flights)
}

fn pass_on(side: Side, mut from: TcpStream, mut to: TcpStream, flights: &Flights) {
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        let mut bytes = buffer[..count].to_vec();
        thread::sleep(DELAY);
        // The other side has seen nothing of it yet, so nothing of this is an answer.
        from.set_nonblocking(true).unwrap();
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            bytes.extend_from_slice(&buffer[..count]);
        }
        from.set_nonblocking(false).unwrap();
        let is_passed_on = {
            let mut flights = flights.lock().unwrap();
            let is_passed_on = to.write_all(&bytes).is_ok();
            match flights.last_mut() {
                Some((last, flight)) if *last == side => flight.append(&mut bytes),
                _ => flights.push((side, bytes)),
            }
            is_passed_on
        };
        if !is_passed_on {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// The types of the TLS records in a flight (RFC 8446, section 5.1).
fn records(mut flight: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [kind, _, _, high, low, rest @ ..] = flight {
        types.push(*kind);
        flight = &rest[usize::from(u16::from_be_bytes([*high, *low]))..];
    }
    types
}

#[test]
fn a_message_takes_three_round_trips_and_one_write() {
    const HANDSHAKE: u8 = 22;
    const CHANGE_CIPHER_SPEC: u8 = 20;
    const APPLICATION_DATA: u8 = 23;
    let machine = Machine::new();
    let gateway = Gateway::start();
    let own = gateway.base_url();
    let port = own.rsplit(':').next().unwrap().parse().unwrap();
    let (proxied, flights) = proxy(port);
    machine.file("/etc/pam-sms/ca.pem", gateway.ca_pem(), 0o644);
    machine.pam("sms", "auth requisite pam_sms.so\nauth required pam_permit.so\n");
    machine.users("alice = \"+4915123456723\"\n");
    machine.config(&format!(
        "[[provider]]\nkind='clickatell'\napi_key='{}'\nbase_url='{}'\n\
         ca_file='/etc/pam-sms/ca.pem'\n",
        account::CLICKATELL_KEY,
        own.replace(&port.to_string(), &proxied.to_string())
    ));
    let mut session = Client::new(&machine, "sms").user("alice").answer("stdin").spawn();
    session.prompt();
    session.answer_line(&gateway.wait_for_message(0).code());
    assert_eq!(session.finish().result, 0);

    // The connection is the first round trip, which the kernels make; these are two more.
    let flights = flights.lock().unwrap();
    let sides: Vec<_> = flights.iter().map(|(side, _)| *side).take(4).collect();
    assert_eq!(sides, [Side::Helper, Side::Gateway, Side::Helper, Side::Gateway]);
    assert_eq!(records(&flights[0].1), [HANDSHAKE]);
    // With the end of the handshake goes the request, whole, in one record.
    let request = [CHANGE_CIPHER_SPEC, APPLICATION_DATA, APPLICATION_DATA];
    assert_eq!(records(&flights[2].1), request);
}
