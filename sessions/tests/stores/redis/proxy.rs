//! A proxy that lets a command through and loses its answer, together with the connection.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Proxy {
    pub port: u16,
    plan: Arc<Plan>,
}

#[derive(Default)]
struct Plan {
    /// The command whose next answer is lost.
    command: Mutex<Option<&'static str>>,
    lost: AtomicUsize,
}

impl Proxy {
    /// Stands before the server at this port.
    pub fn before(server: u16) -> Proxy {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let proxy = Proxy { port: listener.local_addr().unwrap().port(), plan: Arc::default() };
        let plan = Arc::clone(&proxy.plan);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(("127.0.0.1", server)) {
                    carry(client, server, &plan);
                }
            }
        });
        proxy
    }

    /// Loses the answer to the next command of this name.
    pub fn lose(&self, command: &'static str) {
        *self.plan.command.lock().unwrap() = Some(command);
    }

    /// How many answers were lost.
    pub fn lost(&self) -> usize {
        self.plan.lost.load(Ordering::SeqCst)
    }
}

fn carry(client: TcpStream, server: TcpStream, plan: &Arc<Plan>) {
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let is_lost = Arc::new(AtomicBool::new(false));
    let (plan, is_lost_too) = (Arc::clone(plan), Arc::clone(&is_lost));
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            let mut command = plan.command.lock().unwrap();
            let name = command.map(|name| format!("\r\n{name}\r\n"));
            if name
                .is_some_and(|name| bytes[..length].windows(name.len()).any(|word| word == name.as_bytes()))
            {
                *command = None;
                plan.lost.fetch_add(1, Ordering::SeqCst);
                is_lost_too.store(true, Ordering::SeqCst);
            }
            drop(command);
            if to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (server, client);
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            if is_lost.load(Ordering::SeqCst) || to.write_all(&bytes[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}
