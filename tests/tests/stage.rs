//! The stage itself: what other tests rely on when they say that a person has a passkey, comes back later, prefers the
//! dark look, or that a page is accessible.

use serde_json::json;
use suishen_tests::{Look, Result, Scene, Window};

#[tokio::test]
async fn a_passkey_gives_the_same_secret_for_the_same_salt_and_none_to_a_stranger() -> Result<()> {
    Scene::play("passkey", 1, async |scene| {
        let patient = scene.person("patient", Window::Phone).await?;
        patient.goes_to("patient", "/").await?;
        let authenticator = patient.has_passkeys().await?;
        let secrets = patient.browser().execute_async(TWO_SECRETS, Vec::new()).await?.json().clone();
        assert_eq!(secrets[0].as_array().map(Vec::len), Some(32), "{secrets}");
        assert_eq!(secrets[0], secrets[1]);
        authenticator.recognises_owner(false).await?;
        let refused = patient.browser().execute_async(TWO_SECRETS, Vec::new()).await?.json().clone();
        assert!(refused.as_str().is_some_and(|why| why.contains("NotAllowedError")), "{refused}");
        authenticator.remove().await
    })
    .await
}

const TWO_SECRETS: &str = "const done = arguments[0];
    (async () => {
        const random = (n) => crypto.getRandomValues(new Uint8Array(n));
        const prf = { eval: { first: new Uint8Array(32).fill(7) } };
        const made = await navigator.credentials.create({ publicKey: {
            challenge: random(32), rp: { name: 'test' }, user: { id: random(16), name: 'a', displayName: 'a' },
            pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
            authenticatorSelection: { userVerification: 'required' }, extensions: { prf } } });
        const secret = async () => {
            const got = await navigator.credentials.get({ publicKey: {
                challenge: random(32), userVerification: 'required',
                allowCredentials: [{ type: 'public-key', id: made.rawId }], extensions: { prf } } });
            return Array.from(new Uint8Array(got.getClientExtensionResults().prf.results.first));
        };
        done([await secret(), await secret()]);
    })().catch((error) => done(String(error)));";

#[tokio::test]
async fn what_a_browser_stored_is_there_when_it_is_opened_again() -> Result<()> {
    Scene::play("reopened", 1, async |scene| {
        let patient = scene.person("patient", Window::Phone).await?;
        patient.goes_to("patient", "/").await?;
        patient.runs("localStorage.setItem('stage', 'kept')").await?;
        patient.reopens_the_browser().await?;
        patient.goes_to("patient", "/").await?;
        assert_eq!(patient.runs("return localStorage.getItem('stage')").await?, json!("kept"));
        patient.goes_to("patient2", "/").await?;
        assert_eq!(
            patient.runs("return localStorage.getItem('stage')").await?,
            json!(null),
            "another origin"
        );
        Ok(())
    })
    .await
}

#[tokio::test]
async fn windows_have_the_size_that_they_name_and_the_look_that_was_asked_for() -> Result<()> {
    Scene::play("windows", 2, async |scene| {
        for (window, size) in [(Window::SmallPhone, [360, 640, 2]), (Window::Desk, [1440, 900, 1])] {
            let person = scene.person(&format!("{window:?}"), window).await?;
            person.goes_to("", "/").await?;
            person.prefers_dark(true).await?;
            let seen = "return [innerWidth, innerHeight, devicePixelRatio,
                matchMedia('(prefers-color-scheme: dark)').matches]";
            assert_eq!(person.runs(seen).await?, json!([size[0], size[1], size[2], true]), "{window:?}");
        }
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_the_policy_stops_fails_a_scene() -> Result<()> {
    let outcome = Scene::play("policy", 1, async |scene| {
        let visitor = scene.person("visitor", Window::Phone).await?;
        visitor.goes_to("", "/").await?;
        visitor
            .runs("document.body.insertAdjacentHTML('beforeend', '<img src=https://example.invalid/x.png>')")
            .await?;
        visitor.runs("return new Promise((resolve) => setTimeout(resolve, 200))").await?;
        Ok(())
    })
    .await;
    let error = outcome.expect_err("an image from elsewhere went unnoticed").to_string();
    assert!(error.contains("Content Security Policy"), "{error}");
    Ok(())
}

#[tokio::test]
async fn what_a_screen_reader_would_stumble_over_is_found() -> Result<()> {
    Scene::play("accessibility", 1, async |scene| {
        let visitor = scene.person("visitor", Window::Phone).await?;
        visitor.goes_to("", "/").await?;
        visitor.finds("main").await?;
        visitor.finds_it_accessible().await?;
        visitor
            .runs("document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button>')")
            .await?;
        let found = visitor.finds_it_accessible().await.expect_err("a button without a name went unnoticed");
        assert!(found.to_string().contains("button-name"), "{found}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn what_is_cut_off_beside_the_screen_or_out_of_the_keyboards_reach_is_found() -> Result<()> {
    Scene::play("walk", 1, async |scene| {
        let visitor = scene.person("visitor", Window::SmallPhone).await?;
        visitor.goes_to("", "/").await?;
        visitor.finds("main").await?;
        let mut found = Vec::new();
        visitor.looks_over("whole", Look::Whole, &mut found).await?;
        assert!(found.is_empty(), "{found:?}");
        visitor
            .runs(
                "const part = (text) => document.querySelector('main').appendChild(
                     Object.assign(document.createElement('p'), { textContent: text }));
                 Object.assign(part('beside').style, { whiteSpace: 'nowrap', width: '20rem', marginLeft: '15rem' });
                 Object.assign(part('cut').style, { height: '0.5rem', overflow: 'hidden' });
                 part('tiny').style.fontSize = '0.5rem';
                 document.querySelector('main a').tabIndex = -1;
                 document.querySelector('button').style.outline = 'none';",
            )
            .await?;
        visitor.looks_over("broken", Look::Whole, &mut found).await?;
        let found = found.join("\n");
        for remark in
            ["scrolls sideways", "cut off", "smaller than 13 px", "Tab does not reach", "no focus ring"]
        {
            assert!(found.contains(remark), "“{remark}” went unnoticed:\n{found}");
        }
        Ok(())
    })
    .await
}
