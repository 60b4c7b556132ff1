//! The templates, built into the program.

use std::path::{Path, PathBuf};

use rocket::fairing::Fairing;
use rocket::figment::Figment;
use rocket_dyn_templates::{Engines, Template};

use super::settings::Settings;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../templates/", $name, ".html.tera")))),*]
    };
}

const ALL: &[(&str, &str)] = &embedded![
    "base",
    "macros",
    "partials/bars",
    "partials/chart",
    "partials/code",
    "partials/lanes",
    "partials/live",
    "partials/login_form",
    "partials/logout_form",
    "partials/mark",
    "partials/register_form",
    "partials/seal",
    "partials/show_password",
    "partials/way",
    "partials/timeline",
    "partials/tour",
    "compare",
    "confirm",
    "cookie",
    "delete",
    "error",
    "experiment",
    "guide",
    "guides",
    "lab",
    "lab/figures",
    "lab/load_report",
    "load",
    "login",
    "outage",
    "overview",
    "password",
    "profile",
    "register",
    "sessions",
    "signed-out",
    "visits",
];

/// To work on the templates, set `template_dir = "templates"`: they are then read from there, and again
/// whenever they change. Otherwise Rocket gets an empty directory that it shares with nothing, since it
/// would take each write to a database in there for a change.
pub(super) fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("templates")
}

pub(super) fn configure(figment: Figment, settings: &Settings) -> Figment {
    figment.join(("template_dir", directory(&settings.data_dir)))
}

pub(super) fn fairing() -> impl Fairing {
    Template::try_custom(|engines: &mut Engines| {
        let missing = ALL.iter().copied().filter(|(name, _)| engines.tera.get_template(name).is_err());
        let missing: Vec<_> = missing.collect();
        // No name ends in .html, so everything is escaped.
        engines.tera.autoescape_on(vec![""]);
        engines.tera.set_escape_fn(escape);
        engines.tera.add_raw_templates(missing)?;
        Ok(())
    })
}

/// As Tera escapes HTML, but for the slash, which is safe in text and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#x27;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::ALL;

    /// The names of the templates that this text includes, extends or imports.
    fn named(text: &str) -> impl Iterator<Item = &str> {
        let after = |word| text.split(word).skip(1).filter_map(|rest| rest.split('"').next());
        ["{% include \"", "{% extends \"", "{% import \""].into_iter().flat_map(after)
    }

    #[test]
    fn every_template_that_another_names_is_built_in() {
        for (name, text) in ALL {
            for other in named(text) {
                assert!(ALL.iter().any(|(name, _)| *name == other), "{name} names {other}");
            }
        }
    }
}
