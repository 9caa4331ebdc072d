//! A pretend modem: a terminal that answers AT commands as one does (3GPP TS 27.005 and 27.007), in PDU mode
//! only, and tells what it was given to send. It is as strict as they are about modes and lengths.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use rexpect::process::PtyProcess;

use super::log::PATIENCE;

/// A message as the network would get it.
#[derive(Debug, PartialEq, Eq)]
pub struct Sent {
    /// The digits of the recipient, with `+` where the number is an international one.
    pub to: String,
    /// What a phone would show.
    pub text: String,
    /// Whether it is in UCS-2, and not in the GSM alphabet.
    pub is_ucs2: bool,
}

/// A modem that answers as long as this value lives.
pub struct Modem {
    port: String,
    sent: Receiver<Sent>,
    /// Keeps the terminal open while nobody else has it.
    _holder: PtyProcess,
}

impl Modem {
    /// Plugs one in, in the machine of this thread.
    pub fn new() -> Self {
        let mut holder = Command::new("/bin/sh");
        holder.args(["-c", "tty; exec sleep 1d"]);
        let holder = PtyProcess::new(holder).expect("a terminal for the modem");
        let mut line = holder.get_file_handle().expect("the modem's end of it");
        let port = until(&mut line, b'\n').expect("its name");
        let (tell, sent) = mpsc::channel();
        thread::spawn(move || answer(line, &tell));
        Self { port: port.trim().to_owned(), sent, _holder: holder }
    }

    /// The device.
    pub fn port(&self) -> &str {
        &self.port
    }

    /// Waits for the next message.
    pub fn next(&self) -> Sent {
        self.sent.recv_timeout(PATIENCE).expect("a message at the modem")
    }
}

/// Answers until the line is gone.
fn answer(mut line: File, tell: &Sender<Sent>) {
    let (mut is_pdu_mode, mut number) = (false, 0_u8);
    while let Some(command) = until(&mut line, b'\r') {
        let answer = match command.trim() {
            "" => continue,
            "AT+CMGF=0" => {
                is_pdu_mode = true;
                "OK".to_owned()
            }
            "AT+CPIN?" => "+CPIN: READY\r\n\r\nOK".to_owned(),
            "AT+CREG?" => "+CREG: 0,1\r\n\r\nOK".to_owned(),
            "AT+CSQ" => "+CSQ: 21,99\r\n\r\nOK".to_owned(),
            "AT+CIMI" => "001010123456789\r\n\r\nOK".to_owned(),
            "AT+CGSN" => "490154203237518\r\n\r\nOK".to_owned(),
            send if send.starts_with("AT+CMGS=") && is_pdu_mode => {
                let length = send["AT+CMGS=".len()..].parse().unwrap_or(0);
                say(&mut line, "\r\n> ");
                // Ctrl-Z
                let Some(pdu) = until(&mut line, 0x1a) else { return };
                match decode(pdu.trim(), length) {
                    Some(message) => {
                        number += 1;
                        // Nobody listens any more when the test is over.
                        let _ = tell.send(message);
                        format!("+CMGS: {number}\r\n\r\nOK")
                    }
                    // Invalid PDU mode parameter
                    None => "+CMS ERROR: 304".to_owned(),
                }
            }
            send if send.starts_with("AT+CMGS=") || send.starts_with("AT+CMGF=") => {
                "ERROR".to_owned()
            }
            other if other.starts_with("AT") => "OK".to_owned(),
            _ => "ERROR".to_owned(),
        };
        say(&mut line, &format!("\r\n{answer}\r\n"));
    }
}

fn say(line: &mut File, words: &str) {
    // Whoever has hung up reads nothing.
    let _ = line.write_all(words.as_bytes());
}

/// What comes before `end`; nothing where the line is gone.
fn until(line: &mut File, end: u8) -> Option<String> {
    let (mut said, mut byte) = (Vec::new(), [0]);
    loop {
        line.read_exact(&mut byte).ok()?;
        match byte[0] {
            byte if byte == end => return Some(String::from_utf8_lossy(&said).into_owned()),
            byte => said.push(byte),
        }
    }
}

/// A message from its SMS-SUBMIT (3GPP TS 23.040, 9.2.2.2), which has `length` octets after the number of
/// the service centre. Nothing where it is none, or is one of several parts.
pub fn decode(pdu: &str, length: usize) -> Option<Sent> {
    let octets: Option<Vec<u8>> = (0..pdu.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(pdu.get(at..at + 2)?, 16).ok())
        .collect();
    let octets = octets?;
    let tpdu = octets.get(1 + usize::from(*octets.first()?)..)?;
    let (kind, digits, of_number) = (*tpdu.first()?, usize::from(*tpdu.get(2)?), *tpdu.get(3)?);
    let has_header = kind & 0x40 != 0;
    if tpdu.len() != length || kind & 3 != 1 || has_header {
        return None;
    }
    let rest = tpdu.get(4..)?;
    let (number, rest) = rest.split_at_checked(digits.div_ceil(2))?;
    let number = number.iter().flat_map(|octet| [octet & 15, octet >> 4]).take(digits);
    let number: Option<String> = number.map(|digit| char::from_digit(digit.into(), 10)).collect();
    let plus = if of_number & 0x70 == 0x10 { "+" } else { "" };
    let alphabet = *rest.get(1)?;
    let validity = match kind >> 3 & 3 {
        0 => 0,
        2 => 1,
        _ => 7,
    };
    let (&units, text) = rest.get(2 + validity..)?.split_first()?;
    let (units, is_ucs2) = (usize::from(units), alphabet & 0x0c == 8);
    let text = match alphabet & 0x0c {
        0 if text.len() == (units * 7).div_ceil(8) => of_septets(text, units)?,
        8 if text.len() == units => {
            let pairs = text.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]]));
            String::from_utf16(&pairs.collect::<Vec<_>>()).ok()?
        }
        _ => return None,
    };
    Some(Sent { to: format!("{plus}{}", number?), text, is_ucs2 })
}

/// The GSM alphabet (3GPP TS 23.038, 6.2.1), in its order; its extension is not needed here.
const GSM: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\u{1b}ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡\
    ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// Letters of seven bits each, the lowest bits first.
fn of_septets(octets: &[u8], count: usize) -> Option<String> {
    let bit = |at: usize| usize::from(octets[at / 8] >> (at % 8) & 1);
    let septet = |nth: usize| (0..7).map(|of| bit(nth * 7 + of) << of).sum::<usize>();
    (0..count).map(|nth| GSM.chars().nth(septet(nth)).filter(|&c| c != '\u{1b}')).collect()
}

#[test]
fn pdus_are_read_as_the_network_reads_them() {
    let read = |pdu, length| decode(pdu, length).map(|sent| (sent.to, sent.text, sent.is_ucs2));
    // Twelve octets of head, and `hellohello` in nine octets: the example that everybody has.
    let latin = ("+46708251358".to_owned(), "hellohello".to_owned(), false);
    assert_eq!(read("0011000B916407281553F80000AA0AE8329BFD4697D9EC37", 23), Some(latin));
    assert_eq!(read("0011000B916407281553F80000AA0AE8329BFD4697D9EC37", 22), None);
    assert_eq!(read("0011000B916407281553F80000AA0AE8329BFD4697D9EC", 22), None);
    let cyrillic = ("79991234567".to_owned(), "код @".to_owned(), true);
    assert_eq!(read("0001000B819799214365F700080A043A043E043400200040", 23), Some(cyrillic));
    assert_eq!(GSM.chars().count(), 128);
}
