//! Browsers inside other apps: their storage isn't the phone's browser's and half of it fails, so a ticket opened
//! there binds nothing (FIELD "Phones and browsers in China").

/// The app whose browser this is, as the key of its sentence; none for a true browser.
pub fn app_of(agent: &str) -> Option<&'static str> {
    let agent = agent.to_ascii_lowercase();
    let has = |name: &str| agent.contains(name);
    let apps = [
        "alipayclient",
        "aliapp",
        "dingtalk",
        "aweme",
        "weibo",
        " qq/",
        "fban",
        "fbav",
        "instagram",
        "line/",
        "; wv)",
    ];
    if has("micromessenger") { Some("wechat") } else { apps.into_iter().any(has).then_some("app") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wechat_and_other_apps_are_told_from_browsers() {
        assert_eq!(
            app_of("Mozilla/5.0 (Linux; Android 13) … MicroMessenger/8.0.40 NetType/WIFI"),
            Some("wechat")
        );
        assert_eq!(app_of("Mozilla/5.0 (iPhone) … AlipayClient/10.5"), Some("app"));
        assert_eq!(
            app_of("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"),
            None
        );
        assert_eq!(app_of("Mozilla/5.0 (iPhone) … Version/17.0 Mobile/15E148 Safari/604.1"), None);
        assert_eq!(app_of("Mozilla/5.0 (Linux; Android 13) … MQQBrowser/14.0 Mobile Safari/537.36"), None);
    }
}
