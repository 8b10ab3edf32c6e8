//! axe-core over the page that a person sees.

use anyhow::{Context, Result, bail};
use serde_json::Value;
use thirtyfour::WebDriver;

use crate::built;

/// Runs all of axe-core's rules, best practices included; anything found is an error that names rule and elements.
pub async fn check(driver: &WebDriver) -> Result<()> {
    let axe = std::fs::read_to_string(built::axe()?)?;
    driver.execute(axe, Vec::new()).await.context("axe-core did not load")?;
    let run = "const done = arguments[0]; axe.run(document, { resultTypes: ['violations'] }).then(
        (found) => done(found.violations.map((v) => `${v.id} (${v.impact}): ${v.help}\\n` +
            v.nodes.map((n) => '    ' + n.html + '\\n      ' + n.failureSummary).join('\\n'))),
        (error) => done([String(error)]));";
    let found: Vec<String> = driver.execute_async(run, Vec::<Value>::new()).await?.convert()?;
    if found.is_empty() {
        Ok(())
    } else {
        bail!("axe-core found on {}:\n{}", driver.current_url().await?, found.join("\n"))
    }
}
