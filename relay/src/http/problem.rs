//! Errors as RFC 9457 problem+json in Chinese and English, by the request's Accept-Language (Chinese unless
//! English is preferred).
//!
//! `code` is stable: a number where the contract or a gate refuses, a name where the relay does ([`Fault`]). A
//! problem never repeats what the request held.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// zh-CN.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// A sentence in both languages.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }

    fn choose(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.zh,
            Language::English => &self.en,
        }
    }
}

/// What goes over the wire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemBody {
    /// `urn:suishen:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is, short.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable: a number in decimal, or a name.
    pub code: String,
    /// What was wrong here.
    pub detail: String,
    /// What to do.
    pub action: String,
}

/// An error as a client gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem(Box<Content>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Content {
    status: StatusCode,
    code: String,
    title: Text,
    detail: Text,
    action: Text,
}

impl Problem {
    /// A problem with a number of its own, for what the contract and the gate refuse.
    pub fn numbered(status: StatusCode, number: u16, title: Text, action: Text) -> Self {
        let code = number.to_string();
        Self(Box::new(Content { status, code, detail: title.clone(), title, action }))
    }

    /// A problem with a name of its own, for what another door than the relay's refuses.
    pub fn named(status: StatusCode, code: &str, title: Text, action: Text) -> Self {
        let code = code.to_owned();
        Self(Box::new(Content { status, code, detail: title.clone(), title, action }))
    }

    /// Says what was wrong in this case. Must not repeat what the request held.
    #[must_use]
    pub fn with_detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.0.detail = Text::new(zh, en);
        self
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// As it goes over the wire, beside other things.
    pub fn body(&self, language: Language) -> ProblemBody {
        let Content { status, code, title, detail, action } = &*self.0;
        ProblemBody {
            kind: format!("urn:suishen:problem:{code}"),
            title: title.choose(language).to_owned(),
            status: status.as_u16(),
            code: code.clone(),
            detail: detail.choose(language).to_owned(),
            action: action.choose(language).to_owned(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:ident,
        $zh:literal / $en:literal, $act_zh:literal / $act_en:literal;)*) => {
        /// What the relay itself refuses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            fn problem(self) -> Problem {
                match self {
                    $(Self::$name => Problem(Box::new(Content {
                        status: StatusCode::$status,
                        code: $code.into(),
                        title: Text::new($zh, $en),
                        detail: Text::new($zh, $en),
                        action: Text::new($act_zh, $act_en),
                    })),)*
                }
            }
        }
    };
}

faults! {
    /// No such route or page.
    NotFound "not-found" NOT_FOUND, "没有这个地址" / "There is nothing at this address", "请检查地址" / "Check the address";
    /// The route exists for other methods.
    Method "method" METHOD_NOT_ALLOWED, "这个地址不支持这种请求方法" / "This address does not take this method",
        "请查阅 /v1/openapi.json" / "See /v1/openapi.json";
    /// The body is over the limit.
    TooLarge "too-large" PAYLOAD_TOO_LARGE, "内容太大" / "The content is too large",
        "请拆小后再发" / "Send less at once";
    /// The content type isn't that of the route.
    MediaType "media-type" UNSUPPORTED_MEDIA_TYPE, "内容类型不对" / "The content is of another type than this address takes",
        "请按 /v1/openapi.json 设置 Content-Type" / "Set Content-Type as /v1/openapi.json says";
    /// The body, a header, or a part of the path can't be read.
    Malformed "malformed" BAD_REQUEST, "请求无法读懂" / "The request cannot be read",
        "请按 /v1/openapi.json 检查请求" / "Check the request against /v1/openapi.json";
    /// A page of another site asks.
    Origin "origin" FORBIDDEN, "这个网页不属于本中继站的成员" / "The page that asks does not belong to this relay",
        "请从本院或钱包的网址打开" / "Open it at your hospital's or the wallet's own address";
    /// Over the rate limit.
    TooMany "too-many" TOO_MANY_REQUESTS, "请求太频繁" / "Too many requests", "请稍后再试" / "Try again in a moment";
    /// Address and header fields are over the limit.
    Headers "headers" REQUEST_HEADER_FIELDS_TOO_LARGE, "地址或请求头太长" / "The address or the header fields are too long",
        "请缩短到 16 KiB 以内" / "Keep them within 16 KiB";
    /// The body stalled.
    Slow "slow" REQUEST_TIMEOUT, "内容传得太慢，已停止等待" / "The content came too slowly, the relay has stopped waiting",
        "请检查网络后重发" / "Check the network and send it again";
    /// Our own fault.
    Internal "internal" INTERNAL_SERVER_ERROR, "中继站出错了" / "The relay failed",
        "请稍后再试；如仍出错，请联系运营方" / "Try again later; if it stays, tell the operator";
    /// Starting, stopping, or out of room.
    Unavailable "unavailable" SERVICE_UNAVAILABLE, "中继站暂时不能处理" / "The relay cannot do this now",
        "请稍后再试，或使用其他中继站" / "Try again later, or use another relay";
    /// The request needs a signature and has none that holds.
    Unsigned "unsigned" UNAUTHORIZED, "请求的签名缺失或无效" / "The request's signature is missing or does not hold",
        "请用有权的密钥签名后再发" / "Sign the request with the key that may do this";
    /// The signature is too old, from the future, or was used before.
    Stale "stale" UNAUTHORIZED, "请求的签名已过时或已用过" / "The request's signature is too old or was used before",
        "请以中继站的时间重新签名" / "Sign anew, by the relay's time";
    /// The key that signed has no right to this.
    NotAllowed "not-allowed" FORBIDDEN, "这把密钥无权这样做" / "This key may not do this",
        "请确认授权仍然有效" / "Check that the consent or ticket still stands";
    /// No such blob for this key: it isn't here, has expired, or the key may not read it. Which, is not told.
    NoBlob "no-blob" NOT_FOUND, "没有这份密文、已到期删除，或这把密钥无权读取" / "There is no such blob, it has expired, or this key may not read it",
        "请确认授权或凭条仍然有效，或使用其他中继站" / "Check that the consent or ticket still stands, or use another relay";
    /// The content isn't what the address or the digest says.
    Digest "digest" UNPROCESSABLE_ENTITY, "内容与其摘要不符" / "The content does not match its digest",
        "请重新上传" / "Upload it again";
    /// The range lies outside of the content.
    Range "range" RANGE_NOT_SATISFIABLE, "请求的范围超出内容" / "The range lies outside of the content",
        "请按内容长度请求" / "Ask within the content's length";
    /// The disk's share for blobs is used up.
    NoRoom "no-room" INSUFFICIENT_STORAGE, "中继站存储已满" / "The relay has no room left",
        "请使用其他中继站，并通知运营方" / "Use another relay and tell the operator";
    /// The header says more or less than came.
    Length "length" LENGTH_REQUIRED, "须注明内容长度" / "The content's length must be stated",
        "请设置 Content-Length" / "Set Content-Length";
    /// The drop box or inbox is full.
    BoxFull "box-full" CONFLICT, "信箱已满" / "The box is full", "请重新发起授权" / "Make a new grant";
    /// No such entry, tile, person or message.
    NotThere "not-there" NOT_FOUND, "没有找到" / "It is not there", "请检查编号" / "Check its number or name";
    /// The drop box is past its time.
    BoxClosed "box-closed" GONE, "信箱已到期关闭" / "The box is past its time and closed",
        "请重新发起授权" / "Make a new grant";

    /// The answer would be too long.
    PrefixTooShort "prefix-too-short" PAYLOAD_TOO_LARGE, "前缀太短，结果太多" / "Too many leaves lie under this prefix",
        "请用更长的前缀" / "Ask for a longer prefix";

    /// Not an invite of an organisation here.
    InviteUnknown "invite-unknown" NOT_FOUND, "邀请无效" / "This is not an invitation of an organisation here",
        "请向管理员索取新的邀请" / "Ask the administrator for a new one";
    /// Used before.
    InviteUsed "invite-used" CONFLICT, "邀请已经用过" / "The invitation was used before",
        "请向管理员索取新的邀请" / "Ask the administrator for a new one";
    /// Older than 24 hours.
    InviteExpired "invite-expired" GONE, "邀请已过期" / "The invitation has expired",
        "请向管理员索取新的邀请" / "Ask the administrator for a new one";
    /// The key isn't that of an enrolled person.
    NotEnrolled "not-enrolled" FORBIDDEN, "这把密钥没有登记在任何人名下" / "This key is not that of an enrolled person",
        "请用邀请链接登记本设备" / "Enrol this desk with an invitation";
    /// The person was suspended by their organisation.
    PersonSuspended "person-suspended" FORBIDDEN, "该人员已被本机构暂停" / "The organisation suspended this person",
        "请联系本机构管理员" / "Ask your organisation's administrator";
    /// The organisation's keys aren't at this relay.
    NoOrganisation "no-organisation" NOT_FOUND, "本中继站不代管该机构的密钥" / "This relay does not keep that organisation's keys",
        "请使用该机构自己的中继站" / "Use the organisation's own relay";
}

impl Fault {
    /// The problem, with a sentence on what was wrong in this case.
    pub fn because(self, zh: impl Into<String>, en: impl Into<String>) -> Problem {
        self.problem().with_detail(zh, en)
    }

    /// The fault that a bare status, as axum gives it, stands for.
    const fn of(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::Method,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::MediaType,
            status if status.as_u16() < 500 => Self::Malformed,
            _ => Self::Internal,
        }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        fault.problem()
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        self.problem().into_response()
    }
}

/// What problems are told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// zh-CN.
    Chinese,
    /// English.
    English,
}

impl Language {
    /// The preferred one of the two (RFC 9110 §12.5.4).
    pub fn of(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let weight = |wanted: &str| {
            let weights = accept.split(',').filter_map(|part| {
                let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
                let primary = tag.trim().split('-').next()?;
                let q = rest.trim().strip_prefix("q=").map_or(Some(1.0), |q| q.parse::<f32>().ok())?;
                primary.eq_ignore_ascii_case(wanted).then_some(q)
            });
            weights.fold(0.0, f32::max)
        };
        if weight("en") > weight("zh") { Self::English } else { Self::Chinese }
    }

    const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }
}

/// Writes every error as a problem: those of handlers, and the bare ones of the framework.
pub async fn render(request: Request, next: Next) -> Response {
    let language = Language::of(request.headers());
    let response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    let problem = parts.extensions.remove::<Problem>().unwrap_or_else(|| Fault::of(status).problem());
    let body = serde_json::to_vec(&problem.body(language)).expect("strings and numbers are JSON");
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    parts.headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, body.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn language(accept: &'static str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, HeaderValue::from_static(accept));
        Language::of(&headers)
    }

    #[test]
    fn chinese_is_spoken_unless_english_is_preferred() {
        assert_eq!(Language::of(&HeaderMap::new()), Language::Chinese);
        assert_eq!(language("fr"), Language::Chinese);
        assert_eq!(language("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese);
        assert_eq!(language("en-GB,en;q=0.9,zh;q=0.2"), Language::English);
        assert_eq!(language("en;q=0.3, zh;q=0.7"), Language::Chinese);
        assert_eq!(language("fr, en;q=nonsense"), Language::Chinese);
    }

    #[test]
    fn every_fault_has_a_number_of_its_own_and_sentences_in_both_languages() {
        let mut seen = BTreeSet::new();
        for fault in Fault::ALL {
            let problem = fault.problem();
            assert!(!problem.0.code.starts_with(|c: char| c.is_ascii_digit()), "{fault:?}");
            assert!(seen.insert(problem.0.code.clone()), "{fault:?}");
            for text in [&problem.0.title, &problem.0.detail, &problem.0.action] {
                assert!(!text.zh.is_ascii(), "{fault:?}: {}", text.zh);
                assert!(text.en.is_ascii() && !text.en.is_empty(), "{fault:?}: {}", text.en);
            }
        }
    }
}
