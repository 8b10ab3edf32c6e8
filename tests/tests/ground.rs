//! The ground that everything stands on: the relay serves the interface under a strict content security policy, the
//! interface starts, and so does its engine.

use suishen_bridge::{Reply, Request, Response};
use suishen_tests::{Relay, Result, Scene, Window};

#[tokio::test]
async fn the_start_page_is_drawn_and_its_console_stays_clean() -> Result<()> {
    Scene::play("start-page", 1, async |scene| {
        let visitor = scene.person("visitor", Window::Phone).await?;
        visitor.goes_to("", "/").await?;
        visitor.sees("随身").await?;
        visitor.finds("main, [role=main]").await?;
        visitor.picture("start").await
    })
    .await
}

#[tokio::test]
async fn the_engine_starts_in_its_worker_under_the_policy_that_the_relay_sends() -> Result<()> {
    Scene::play("engine", 1, async |scene| {
        let patient = scene.person("patient", Window::Phone).await?;
        patient.goes_to("patient", "/").await?;
        let relays = vec![scene.relay.origin("patient")];
        let start = Request::Start { relays, language: "zh-CN".into() };
        let outcome = patient
            .browser()
            .execute_async(
                "const [start, done] = arguments; const worker = new Worker('/engine.js', { type: 'module' });
                 worker.onmessage = ({ data }) => data.id === 1 && done(Array.from(new Uint8Array(data.message)));
                 worker.onerror = (event) => done('error: ' + event.message);
                 worker.postMessage({ id: 1, message: Uint8Array.from(start).buffer });",
                vec![serde_json::json!(suishen_bridge::encode(&start))],
            )
            .await?;
        let bytes: Vec<u8> = serde_json::from_value(outcome.json().clone())?;
        let reply: Option<Reply> = suishen_bridge::decode(&bytes);
        assert!(matches!(reply, Some(Ok(Response::Started { .. }))), "{reply:?}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_scanner_reads_what_the_camera_films() -> Result<()> {
    Scene::play("scanner", 1, async |scene| {
        let patient = scene.person("patient", Window::Phone).await?;
        patient.camera().shows("https://patient.example/#随身 a ticket")?;
        patient.goes_to("patient", "/").await?;
        let codes = patient.browser().execute_async(FILM, Vec::new()).await?;
        assert_eq!(codes.json()[0]["text"], "https://patient.example/#随身 a ticket", "{:?}", codes.json());
        Ok(())
    })
    .await
}

/// What the interface does, in short: camera, frame, bitmap, worker.
const FILM: &str = "const done = arguments[0];
    (async () => {
        const worker = new Worker('/scanner.js', { type: 'module' });
        const answer = () => new Promise((resolve) => { worker.onmessage = ({ data }) => resolve(data); });
        const ready = answer();
        const video = document.createElement('video');
        video.muted = true;
        video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } });
        await video.play();
        await ready;
        for (let id = 0; id < 100; id++) {
            const bitmap = await createImageBitmap(video);
            const next = answer();
            worker.postMessage({ id, bitmap }, [bitmap]);
            const { codes, error } = await next;
            if (error) return done(error);
            if (codes.length) return done(codes);
        }
        done('nothing read');
    })().catch((error) => done(String(error)));";

#[tokio::test]
async fn every_page_and_script_is_served_with_the_headers_of_the_design() -> Result<()> {
    let relay = Relay::start().await?;
    for path in ["/", "/boot.js", "/engine.js", "/scanner.js", "/release.json"] {
        let answer = relay.get(path).await?;
        assert_eq!(answer.status, 200, "{path}");
        let policy = answer.header("content-security-policy");
        for directive in
            ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(directive), "{path}: {directive} is not in “{policy}”");
        }
        assert!(!policy.contains("unsafe-inline"), "{path}: {policy}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(answer.header("set-cookie").is_empty(), "{path}");
        assert!(
            !answer.header("cache-control").contains("immutable"),
            "{path} keeps its name when it changes"
        );
    }
    Ok(())
}

#[tokio::test]
async fn hashed_files_are_immutable_and_come_compressed_to_whoever_takes_brotli() -> Result<()> {
    let relay = Relay::start().await?;
    let release: serde_json::Value = serde_json::from_str(&relay.get("/release.json").await?.text())?;
    let files = release["files"].as_object().expect("the release lists its files");
    let hashed: Vec<_> = files.keys().filter(|path| path.starts_with("/pkg/")).collect();
    assert!(hashed.iter().any(|path| path.contains("_bg-")), "{hashed:?}");
    for path in hashed {
        let plain = relay.get(path).await?;
        let packed = relay.send(reqwest::Method::GET, path, &[("accept-encoding", "br")], Vec::new()).await?;
        assert_eq!((plain.status.as_u16(), packed.status.as_u16()), (200, 200), "{path}");
        assert!(plain.header("cache-control").contains("immutable"), "{path}");
        assert_eq!(plain.header("content-encoding"), "", "{path}");
        assert_eq!(packed.header("content-encoding"), "br", "{path}");
        assert!(packed.body.len() < plain.body.len(), "{path}");
        assert!(packed.header("vary").to_lowercase().contains("accept-encoding"), "{path}");
        if path.contains("_bg-") {
            assert_eq!(plain.header("content-type"), "application/wasm", "{path}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_relay_that_was_killed_starts_again_on_its_data() -> Result<()> {
    let mut relay = Relay::start().await?;
    relay.kill()?;
    relay.resume().await?;
    assert!(relay.stop()?.success(), "SIGTERM is a good end");
    relay.resume().await
}
