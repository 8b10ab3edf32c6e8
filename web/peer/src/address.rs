//! Where a relay is, from its origin.

use libp2p::{Multiaddr, PeerId, multiaddr::Protocol};
use std::net::IpAddr;
use suishen_bridge::peer::Relay;

/// A relay's peer id and the address of its `/p2p`; none when its origin or id isn't one.
pub fn relay(relay: &Relay) -> Option<(PeerId, Multiaddr)> {
    let peer = PeerId::from_bytes(&relay.peer).ok()?;
    Some((peer, socket(&relay.origin)?.with(Protocol::P2p(peer))))
}

/// Where others reach `peer` through a relay at `address`.
pub fn circuit(address: Multiaddr, peer: Option<PeerId>) -> Multiaddr {
    let circuit = address.with(Protocol::P2pCircuit);
    peer.into_iter().fold(circuit, |circuit, peer| circuit.with(Protocol::P2p(peer)))
}

fn socket(origin: &str) -> Option<Multiaddr> {
    let (scheme, authority) = origin.split_once("://")?;
    let (secure, usual) = match scheme {
        "https" => (true, 443),
        "http" => (false, 80),
        _ => return None,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, usual),
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let host = match bare.parse() {
        Ok(IpAddr::V4(ip)) => Protocol::Ip4(ip),
        Ok(IpAddr::V6(ip)) => Protocol::Ip6(ip),
        Err(_) => Protocol::Dns(bare.to_owned().into()),
    };
    let address = Multiaddr::empty().with(host).with(Protocol::Tcp(port));
    let address = if secure { address.with(Protocol::Tls) } else { address };
    Some(address.with(Protocol::Ws("/p2p".into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_web_socket_at_p2p() {
        let address = |origin| socket(origin).map(|address| address.to_string());
        let plain = "/dns/patient.localhost/tcp/8080/x-parity-ws/%2Fp2p";
        assert_eq!(address("http://patient.localhost:8080").as_deref(), Some(plain));
        let secure = "/dns/wallet.example/tcp/443/tls/x-parity-ws/%2Fp2p";
        assert_eq!(address("https://wallet.example").as_deref(), Some(secure));
        assert_eq!(address("http://[::1]:81").as_deref(), Some("/ip6/::1/tcp/81/x-parity-ws/%2Fp2p"));
        assert_eq!(address("http://[::1]").as_deref(), Some("/ip6/::1/tcp/80/x-parity-ws/%2Fp2p"));
        assert_eq!(address("ftp://a"), None);
        assert_eq!(address("http://a:b"), None);
    }
}
