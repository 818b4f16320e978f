//! A function that brings its own runtime, in as few lines as the Runtime API allows: it answers with the event it got, or does
//! what the event's first word says. Tests and measurements run it as `bootstrap`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

fn main() -> std::io::Result<()> {
    let address = std::env::var("AWS_LAMBDA_RUNTIME_API").map_err(std::io::Error::other)?;
    let stream = TcpStream::connect(&address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut ask = |method: &str, path: &str, body: &[u8]| -> std::io::Result<(String, Vec<u8>)> {
        let length = body.len();
        let head = format!(
            "{method} /2018-06-01/runtime/{path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {length}\r\n\r\n"
        );
        (&stream).write_all(&[head.as_bytes(), body].concat())?;
        let (mut id, mut length, mut line) = (String::new(), 0, String::new());
        loop {
            line.clear();
            if reader.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("lambda-runtime-aws-request-id") => {
                    id = value.to_owned()
                }
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                    length = value.parse().unwrap_or(0)
                }
                Some(_) => {}
                None if line.trim_end().is_empty() => break,
                None => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok((id, body))
    };
    loop {
        let (id, event) = ask("GET", "invocation/next", b"")?;
        let response = format!("invocation/{id}/response");
        match &event[..] {
            b"\"garbage\"" => {
                ask("POST", "invocation/not-this-one/response", b"1")?;
                ask("POST", &format!("invocation/{}/response", "x".repeat(5_000)), b"1")?;
                ask("DELETE", "nonsense/../../etc", b"\0\xff")?;
                ask("POST", &response, b"{not json")?;
                // It was answered already.
                ask("POST", &response, b"2")?;
            }
            b"\"again\"" => {
                ask("GET", "invocation/next", b"")?;
            }
            _ => drop(ask("POST", &response, &event)?),
        }
    }
}
