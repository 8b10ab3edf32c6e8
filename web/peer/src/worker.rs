//! The worker's message loop, and the swarm as a browser has it.

use crate::{
    prompt::Prompt,
    road::{Behaviour, Road},
};
use futures::channel::mpsc::unbounded;
use js_sys::{Array, ArrayBuffer, Uint8Array};
use libp2p::{
    Swarm, SwarmBuilder, Transport as _, core::upgrade::Version, identify, noise, ping, websocket_websys,
    yamux,
};
use libp2p_stream as stream;
use std::time::Duration;
use suishen_bridge::peer::{PeerCommand, PeerEvent};
use wasm_bindgen::{JsCast, JsError, closure::Closure, prelude::wasm_bindgen};
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

/// A connection without streams is closed after this.
const IDLE: Duration = Duration::from_secs(60);

/// Starts the swarm and listens to the engine.
#[wasm_bindgen(start)]
pub fn start() -> Result<(), JsError> {
    let (sender, commands) = unbounded();
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        let Ok(buffer) = event.data().dyn_into::<ArrayBuffer>() else { return };
        if let Ok(command) = minicbor::decode::<PeerCommand>(&Uint8Array::new(&buffer).to_vec()) {
            let _ = sender.unbounded_send(command);
        }
    });
    scope().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    let road = Road::new(swarm()?, |task| wasm_bindgen_futures::spawn_local(task), tell);
    wasm_bindgen_futures::spawn_local(road.run(commands));
    Ok(())
}

fn swarm() -> Result<Swarm<Behaviour>, JsError> {
    let swarm = SwarmBuilder::with_new_identity()
        .with_wasm_bindgen()
        .with_other_transport(|key| {
            let sockets = websocket_websys::Transport::default().map(|socket, _| Prompt::new(socket));
            let upgraded = sockets.upgrade(Version::V1Lazy);
            Ok(upgraded.authenticate(noise::Config::new(key)?).multiplex(yamux::Config::default()))
        })?
        .with_relay_client(noise::Config::new, yamux::Config::default)?
        .with_behaviour(|key, circuits| {
            let identity = identify::Config::new("/suishen/1".to_owned(), key.public());
            Behaviour {
                circuits,
                identify: identify::Behaviour::new(identity.with_hide_listen_addrs(true)),
                ping: ping::Behaviour::default(),
                streams: stream::Behaviour::new(),
            }
        })?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    Ok(swarm)
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

fn tell(event: &PeerEvent) {
    let Ok(bytes) = minicbor::to_vec(event) else { return };
    let buffer = Uint8Array::from(bytes.as_slice()).buffer();
    // The engine is there for as long as this worker is.
    let _ = scope().post_message_with_transfer(&buffer, &Array::of1(&buffer));
}
