//! A platform authenticator with PRF (a passkey that unlocks), which `WebDriver` plays.

use anyhow::{Context, Result};
use reqwest::Client;
use serde_json::json;

use crate::driver::call;

/// A phone's own authenticator, whose owner agrees to everything until told otherwise.
#[derive(Debug)]
pub struct Authenticator {
    client: Client,
    url: String,
}

impl Authenticator {
    pub(crate) async fn add(client: Client, session: &str) -> Result<Self> {
        let options = json!({
            "protocol": "ctap2_1", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true,
            "isUserConsenting": true, "isUserVerified": true, "extensions": ["prf"],
        });
        let id = call(&client, &format!("{session}/webauthn/authenticator"), &options).await?;
        let id = id.as_str().context("chromedriver named no authenticator")?;
        Ok(Self { url: format!("{session}/webauthn/authenticator/{id}"), client })
    }

    /// Whether the owner's finger or face is recognised from now on.
    pub async fn recognises_owner(&self, yes: bool) -> Result<()> {
        call(&self.client, &format!("{}/uv", self.url), &json!({ "isUserVerified": yes })).await?;
        Ok(())
    }

    /// Takes it away: a new phone.
    pub async fn remove(self) -> Result<()> {
        self.client.delete(&self.url).send().await?.error_for_status()?;
        Ok(())
    }
}
