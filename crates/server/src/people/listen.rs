//! Where the doors listen: loopback in the clear, anywhere else under TLS only.

use super::{State, router};
use axum::serve::Listener;
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

/// LIMIT: time for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);

/// A door that listens and does not answer yet.
pub struct Door {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    state: State,
    address: SocketAddr,
}

/// Listens in the clear; refused beyond loopback, where tokens would be readable by others.
pub async fn bind(address: SocketAddr, state: State) -> io::Result<Door> {
    if !address.ip().is_loopback() {
        let message = format!("`{address}` is not loopback: give a TLS certificate, or listen on 127.0.0.1");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    listen(address, state, None).await
}

/// Serves at a listener on loopback that is held already: its address is known before there is anything to serve.
pub fn held(listener: std::net::TcpListener, state: State) -> io::Result<Door> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let message = format!("`{address}` is not loopback: give a TLS certificate, or listen on 127.0.0.1");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    listener.set_nonblocking(true)?;
    Ok(Door { listener: TcpListener::from_std(listener)?, tls: None, state, address })
}

/// Listens under TLS.
pub async fn bind_tls(address: SocketAddr, state: State, tls: Arc<ServerConfig>) -> io::Result<Door> {
    listen(address, State { tls: true, ..state }, Some(TlsAcceptor::from(tls))).await
}

async fn listen(address: SocketAddr, state: State, tls: Option<TlsAcceptor>) -> io::Result<Door> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok(Door { listener, tls, state, address })
}

/// Listens in the clear on loopback and serves until the process ends.
pub async fn serve(address: SocketAddr, state: State) -> io::Result<()> {
    bind(address, state).await?.serve(std::future::pending()).await
}

impl Door {
    /// The address it listens on; the port is the real one when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `end` completes, then finishes the requests in progress.
    pub async fn serve(self, end: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        let router = router(self.state);
        match self.tls {
            None => axum::serve(self.listener, router).with_graceful_shutdown(end).await,
            Some(tls) => {
                let listener = Secured { listener: self.listener, tls };
                axum::serve(listener, router).with_graceful_shutdown(end).await
            }
        }
    }
}

struct Secured {
    listener: TcpListener,
    tls: TlsAcceptor,
}

impl Listener for Secured {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    // LIMIT: one handshake at a time, each for five seconds at most; doors for people and programs are not busy.
    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = Listener::accept(&mut self.listener).await;
            if let Ok(Ok(secured)) = timeout(HANDSHAKE, self.tls.accept(stream)).await {
                return (secured, from);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
