//! What must not be seen of any object when it is printed.

use super::Story;
use crate::sharing::{Sharing, consent};
use suishen_core::sm::SecretKey;

impl Story {
    /// Keys and salts of the story, and words of what it is about.
    pub(super) fn canaries(&self) -> Vec<(&'static str, Vec<u8>)> {
        let Self { sharing: Sharing { draft }, desk, .. } = self;
        let key = |name, key: &SecretKey| (name, key.to_bytes().to_vec());
        let mut all = vec![
            key("the grantee's key", &desk.grantee),
            key("the desk's box key", &desk.box_key),
            key("the person's key", &desk.person),
            key("what opens a use", &self.epk),
            key("the grant's key", &draft.key),
            key("the code's secret", &draft.offer),
            key("the reply key", &draft.reply),
            ("the patient's half", draft.half.as_bytes().to_vec()),
            ("the gates' share", draft.deposits[0].records[0].share.value.as_bytes().to_vec()),
            ("a consent's text", consent().text.into_bytes()),
            ("an observation", "低密度脂蛋白".into()),
            ("the patient's name", "林秀兰".into()),
        ];
        for record in &self.records {
            all.push(("a record's salt", record.salt.to_vec()));
            all.extend(record.holder_salts.iter().map(|salt| ("a holder's salt", salt.0.to_vec())));
            all.extend(record.parts.iter().map(|part| ("a part's key", part.key.as_bytes().to_vec())));
            all.extend(
                record.openings.iter().map(|group| ("a group's salt", group.salt.as_bytes().to_vec())),
            );
        }
        all
    }
}
