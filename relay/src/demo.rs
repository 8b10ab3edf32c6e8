//! A demo consortium with real keys and certificates: a root, two hospitals, three insurers and an auditor, this relay the only
//! member. Founded once in an empty data folder.

use crate::{
    desk::{DeskError, Invitee},
    founding::{Consortium, Founder, FounderRole, Named, party},
    http::{Problem, Shared},
};
use serde_json::json;
use suishen_core::{
    contract::Genesis,
    identity::{Certificate, Role},
};

/// A name for the relay in cosignature lines.
const RELAY: &str = "anlan-relay";
const ROOT: (&str, &str) = ("52520100ANLAN00001", "安澜健康信息联盟");
const HOSPITAL: (&str, &str) = ("12520100ANLAN00018", "安澜市人民医院");
const OTHER_HOSPITAL: (&str, &str) = ("12520100ANLAN00026", "安澜市中医院");
const INSURER: (&str, &str) = ("91520100ANLAN00051", "康宁健康保险");
const OTHER_INSURER: (&str, &str) = ("91520100ANLAN00069", "安泰人寿保险");
const FUND: (&str, &str) = ("11520100ANLAN00042", "安澜市医疗保障局");
const AUDITOR: (&str, &str) = ("11520100ANLAN00034", "安澜市卫生健康委员会");

/// Who may be enrolled with one click.
const ROLES: [(&str, &str, Role, &str, &str, &str); 7] = [
    ("hospital", HOSPITAL.0, Role::Issuer, "方静", "主管技师", "检验科"),
    ("doctor", HOSPITAL.0, Role::Physician, "李文", "主任医师", "心血管内科"),
    ("doctor2", OTHER_HOSPITAL.0, Role::Physician, "周岚", "副主任医师", "脾胃病科"),
    ("insurer", INSURER.0, Role::InsurerCommercial, "钱颖", "理赔专员", "健康险理赔部"),
    ("insurer2", OTHER_INSURER.0, Role::InsurerCommercial, "孙浩", "理赔专员", "理赔中心"),
    ("fund", FUND.0, Role::InsurerStatutory, "吴敏", "审核员", "基金结算处"),
    ("auditor", AUDITOR.0, Role::Auditor, "何正", "审计员", "信息与统计处"),
];

/// The demo's organisations, with the relay at this origin.
pub fn consortium(origin: &str) -> Consortium {
    let founder = |(code, name): (&str, &str), roles: &[FounderRole]| Founder {
        code: code.to_owned(),
        name: name.to_owned(),
        roles: roles.to_vec(),
    };
    let hospital = [FounderRole::Issuer, FounderRole::Physician];
    Consortium {
        relay: RELAY.to_owned(),
        origins: vec![origin.to_owned()],
        root: Named { code: ROOT.0.to_owned(), name: ROOT.1.to_owned() },
        member: HOSPITAL.0.to_owned(),
        auditor: AUDITOR.0.to_owned(),
        organisations: vec![
            founder(HOSPITAL, &hospital),
            founder(OTHER_HOSPITAL, &hospital),
            founder(INSURER, &[FounderRole::InsurerCommercial]),
            founder(OTHER_INSURER, &[FounderRole::InsurerCommercial]),
            founder(FUND, &[FounderRole::InsurerStatutory]),
            founder(AUDITOR, &[FounderRole::Auditor]),
        ],
    }
}

/// The demo as it is served.
#[derive(Clone, Copy, Debug)]
pub struct Demo {
    /// The port on which each role has its own name under `localhost`.
    pub port: u16,
}

impl Demo {
    /// A fresh invite link for each role.
    pub fn links(&self, node: &Shared) -> Result<serde_json::Value, Problem> {
        let mut links = serde_json::Map::new();
        for (role, code, acts_as, name, title, unit) in ROLES {
            let invitee = Invitee {
                name: name.to_owned(),
                role: acts_as,
                title: Some(title.to_owned()),
                unit: Some(unit.to_owned()),
                server: false,
            };
            let id = party(code).map_err(|_| DeskError::NoOrganisation)?;
            // A demo that was founded by an earlier release has fewer.
            let Ok(organisation) = node.desks.organisation(&id) else { continue };
            let fragment = organisation.invite(&invitee, &node.replica.ledger(), node.now());
            let link = format!("http://{role}.localhost:{}/enrol#{fragment}", self.port);
            links.insert(role.to_owned(), json!(link));
        }
        Ok(links.into())
    }
}

/// The root certificate of a genesis.
pub fn root_of(genesis: &Genesis) -> Result<Certificate, DeskError> {
    Ok(genesis.root.read()?)
}
