//! HTTP towards a relay: kept connections, and https by the certificates that this machine trusts, or that `SSL_CERT_FILE`
//! names.

use super::ClientError;
use axum::{
    body::Bytes,
    http::{HeaderValue, Method, Request, StatusCode, header},
};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{error::Error, fmt, time::Duration};

/// What calls a relay.
pub struct Calls {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    patience: Option<Duration>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Calls")
    }
}

/// What keeps an error from being read: its causes are what a person needs.
fn told(error: &dyn Error) -> ClientError {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    ClientError::Unreachable(text)
}

impl Calls {
    /// With so much patience for each whole answer, where it has an end.
    pub fn new(patience: Option<Duration>) -> Result<Self, ClientError> {
        let tls = crate::tls::trusting().map_err(|error| told(&error))?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Self { client: Client::builder(TokioExecutor::new()).build(connector), patience })
    }

    /// One call: the answer's status and body, of at most `most` bytes.
    pub async fn call(
        &self,
        method: Method,
        url: &str,
        headers: &[(&'static str, &str)],
        body: Vec<u8>,
        most: usize,
    ) -> Result<(StatusCode, Vec<u8>), ClientError> {
        let mut request = Request::builder().method(method).uri(url);
        // Problems are told in the language of the command line.
        request = request.header(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| told(&error))?;
        let whole = async {
            let answer = self.client.request(request).await.map_err(|error| told(&error))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), most).collect().await;
            let body = body.map_err(|error| {
                if error.is::<LengthLimitError>() {
                    ClientError::Unsound("more than was asked for")
                } else {
                    told(&*error)
                }
            });
            Ok((status, body?.to_bytes().to_vec()))
        };
        match self.patience {
            None => whole.await,
            Some(patience) => tokio::time::timeout(patience, whole)
                .await
                .unwrap_or_else(|_| Err(ClientError::Unreachable("no answer in time".to_owned()))),
        }
    }
}
