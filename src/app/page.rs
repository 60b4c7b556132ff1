//! What all pages share: the realms, who is signed in, the token of the forms, the notice.

use std::sync::Arc;

use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::response::Redirect;
use rocket::response::content::RawHtml;
use rocket::{FromFormField, Ignite, Responder, Rocket, Sentinel, UriDisplayQuery};
use rocket_dyn_templates::{Template, context};
use sealed_sessions::{Arrival, Clock, Powers, Realms, SessionError, Timeout, Timeouts};
use serde::Serialize;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use super::accounts::Account;
use super::assets::Assets;
use super::code;
use super::csrf;
use super::now::clock;
use super::settings::Settings;
use super::spans::{self, span};
use super::standing::{Standing, standing};
use super::tour;
use super::visitor::{Session, Visitor};

/// A rendered page. The content type is set here, since the template names do not tell it.
pub(super) type Html = RawHtml<Template>;

/// A page, or the way to another one that suits better.
#[derive(Responder)]
pub(super) enum Shown {
    Here(Html),
    Elsewhere(Redirect),
}

/// A page of the site, in the realm that its path lies in or in none. As a guard it always succeeds:
/// an error page has no session when the store is down.
pub(super) struct Page<'r> {
    realms: Realms<'r, Visitor>,
    default_realm: &'r str,
    source_url: Option<&'r str>,
    lab: bool,
    session: Option<Session<'r>>,
    standing: Standing,
    clock: Arc<dyn Clock>,
}

/// A page that uses no session: as it is for everybody.
pub(super) struct PlainPage<'r>(pub(super) Page<'r>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Page<'r> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Page<'r>, SessionError> {
        let PlainPage(plain) = try_outcome!(request.guard::<PlainPage<'r>>().await);
        let session = match plain.realms.here() {
            Some(path) => plain.realms.session(path).await.ok(),
            None => None,
        };
        Outcome::Success(Page { session, standing: standing(request).await, ..plain })
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for PlainPage<'r> {
    type Error = SessionError;

    async fn from_request(request: &'r Request<'_>) -> Outcome<PlainPage<'r>, SessionError> {
        let realms = try_outcome!(request.guard::<Realms<'r, Visitor>>().await);
        let settings = request.rocket().state::<Settings>();
        Outcome::Success(PlainPage(Page {
            realms,
            default_realm: settings.map_or("", |settings| &settings.default_realm),
            source_url: settings.and_then(|settings| settings.source_url.as_deref()),
            lab: settings.is_some_and(|settings| settings.lab),
            session: None,
            standing: Standing::Nobody,
            clock: clock(request),
        }))
    }
}

impl Sentinel for Page<'_> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        Realms::<Visitor>::abort(rocket)
    }
}

impl Sentinel for PlainPage<'_> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        Realms::<Visitor>::abort(rocket)
    }
}

impl<'r> Page<'r> {
    pub(super) fn realms(&self) -> &Realms<'r, Visitor> {
        &self.realms
    }

    /// The paths of all realms, the default one first.
    pub(super) fn realm_paths(&self) -> Vec<&'r str> {
        let mut paths: Vec<_> = self.realms.paths().collect();
        paths.sort_by_key(|path| *path != self.default_realm);
        paths
    }

    /// The realm's path prefix; empty outside of every realm, so that a link begins with it.
    pub(super) fn realm(&self) -> &'r str {
        self.realms.here().unwrap_or_default().trim_end_matches('/')
    }

    /// Leads to a page of this realm with 303.
    pub(super) fn see_other(&self, path: &str) -> Redirect {
        Redirect::to(match (self.realm(), path) {
            ("", "") => "/".to_owned(),
            (realm, path) => format!("{realm}{path}"),
        })
    }

    /// The session of the realm, unless the page lies in none or the store is down.
    pub(super) fn session(&self) -> Option<Session<'r>> {
        self.session
    }

    /// How the session that the browser brought has ended, if it just did.
    pub(super) fn ended(&self) -> Option<Ended> {
        match self.standing {
            Standing::Over => Some(Ended::Account),
            _ => self.session.and_then(|session| Ended::of(session.arrival())),
        }
    }

    /// The account that the realm's session is signed in to, unless that session is over.
    pub(super) fn user(&self) -> Option<Account> {
        let session = self.session.filter(|_| matches!(self.standing, Standing::Good { .. }))?;
        session.get().user.clone()
    }

    /// Whether somebody is signed in, also while their account cannot be looked up.
    fn is_signed_in(&self) -> bool {
        self.standing.may_be_good() && self.session.is_some_and(|session| session.get().user.is_some())
    }

    /// What the server can do to the sessions of the page's realm.
    pub(super) fn powers(&self) -> Powers {
        self.realms.here().and_then(|path| self.realms.powers(path)).unwrap_or(Powers::Nothing)
    }

    /// What looking the account up took for this request, where it was looked up.
    pub(super) fn lookup(&self) -> Option<String> {
        match self.standing {
            Standing::Good { lookup: Some(took) } => Some(format!("{:.2}", took.as_secs_f64() * 1000.0)),
            _ => None,
        }
    }

    /// Whether the browser kept its cookie back, so that no form of this page could be its own.
    pub(super) fn is_withheld(&self) -> bool {
        self.session.is_some_and(|session| session.arrival() == Arrival::Withheld)
    }

    /// A page whose only form is the one that signs out.
    pub(super) fn show(&self, name: &'static str, title: &str, own: impl Serialize) -> Html {
        let token = self.session.filter(|_| self.is_signed_in());
        self.render(name, title, token.and_then(|session| csrf::token(&session)), own)
    }

    /// A page with a form of this session. A handler that has none answers 503: the form could not be sent.
    pub(super) fn show_form(
        &self,
        session: &Session<'_>,
        name: &'static str,
        title: &str,
        own: impl Serialize,
    ) -> Html {
        self.render(name, title, csrf::token(session), own)
    }

    /// A page with a form, in or outside of a realm: outside it has the token of the default realm.
    pub(super) async fn show_form_anywhere(
        &self,
        name: &'static str,
        title: &str,
        own: impl Serialize,
    ) -> Html {
        let token = match self.session {
            Some(session) => csrf::token(&session),
            None => self.default_token().await,
        };
        self.render(name, title, token, own)
    }

    /// A token of the default realm's session, which this page does not keep alive; a new session if there is none.
    async fn default_token(&self) -> Option<String> {
        match self.realms.read_only(self.default_realm).await.ok()?.form_token() {
            Some(token) => Some(token),
            None => {
                self.realms.session(self.default_realm).await.ok().and_then(|session| csrf::token(&session))
            }
        }
    }

    /// The first realm with these powers.
    fn first_with(&self, powers: Powers) -> Option<&'r str> {
        self.realm_paths().into_iter().find(|path| self.realms.powers(path) == Some(powers))
    }

    /// Why a session of this realm ended, with the timeout where that is the reason.
    pub(super) fn explain(&self, ended: Ended) -> String {
        match (ended, self.timeouts()) {
            (Ended::Absolute, Some((usual, remembered))) => format!(
                "Your session ended because it reached its maximum age ({}, or {} if you chose to stay signed in).",
                span(usual.absolute),
                span(remembered.absolute)
            ),
            _ => ended.notice().to_owned(),
        }
    }

    /// The timeouts of the realm: the usual ones, and those of a login that asked to be remembered.
    fn timeouts(&self) -> Option<(Timeouts, Timeouts)> {
        let path = self.realms.here()?;
        self.realms.timeouts(path).zip(self.realms.remembered_timeouts(path))
    }

    /// What it means to stay signed in: "up to 30 days, unless you stay away for 14 days".
    fn remembering(&self) -> Option<String> {
        let (_, Timeouts { idle, absolute }) = self.timeouts()?;
        Some(format!("up to {}, unless you stay away for {}", span(absolute), span(idle)))
    }

    /// The notice of a page that has none of its own. A one-time notice is taken, so that no other page tells it again;
    /// but not by an error page, which a request of another site can lead to.
    fn notice(&self, is_error: bool) -> Option<String> {
        if let Some(ended) = self.ended() {
            return Some(self.explain(ended));
        }
        if self.is_signed_in() && self.standing == Standing::Unknown {
            return Some("You are signed in, but your account cannot be checked at the moment.".to_owned());
        }
        if is_error {
            return None;
        }
        let session = self.session?;
        let flash = session.get().flash?;
        session.update(|visitor| visitor.flash = None);
        Some(flash.notice(self.user().as_ref().map(|user| &*user.name)))
    }

    fn render(&self, name: &'static str, title: &str, token: Option<String>, own: impl Serialize) -> Html {
        let here = self.realms.here();
        let describe = |path: &str| {
            let store = self.realms.store_name(path).unwrap_or_default();
            let powers = match self.realms.powers(path) {
                Some(Powers::Lists) => "lists",
                Some(Powers::Ends) => "ends",
                _ => "nothing",
            };
            let active = here == Some(path);
            json!({ "path": path, "name": realm_name(path), "store": store, "powers": powers, "active": active })
        };
        let shared = context! {
            title,
            page: name,
            assets: Assets::linked(),
            remembering: self.remembering(),
            realms: self.realm_paths().into_iter().map(describe).collect::<Vec<_>>(),
            realm: here.map(describe),
            // Where to look for what this realm cannot do.
            ending: self.first_with(Powers::Ends).map(describe),
            listing: self.first_with(Powers::Lists).map(describe),
            user: self.user().map(|account| account.name),
            signed_in: self.is_signed_in(),
            csrf: token,
            lab: self.lab,
            code: code::of(name),
            tour: tour::step(name, self.realm(), self.is_signed_in()),
            version: env!("CARGO_PKG_VERSION"),
            source_url: self.source_url,
        };
        let mut all = object(shared);
        all.extend(object(own));
        if all.get("notice").is_none_or(Value::is_null) {
            all.insert("notice".to_owned(), self.notice(matches!(name, "error" | "outage")).into());
        }
        RawHtml(Template::render(name, all))
    }

    /// A moment as pages show it: for machines, for people, and relative to now.
    pub(super) fn when(&self, moment: OffsetDateTime) -> Value {
        let format = format_description!("[day padding:none] [month repr:short] [year], [hour]:[minute] UTC");
        json!({
            // `datetime` allows three digits of a second at most.
            "iso": moment.truncate_to_second().format(&Rfc3339).unwrap_or_default(),
            "text": moment.format(&format).unwrap_or_default(),
            "relative": self.relative(moment),
        })
    }

    /// The time of this page.
    pub(super) fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// How far a moment is from now, in one unit.
    pub(super) fn relative(&self, moment: OffsetDateTime) -> String {
        spans::until(moment, self.clock.now())
    }
}

/// How a genuine session ended, as the address of a login page can say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromFormField, UriDisplayQuery)]
pub(super) enum Ended {
    /// The visitor was away for too long.
    #[field(value = "idle")]
    Idle,
    /// It had reached its absolute timeout.
    #[field(value = "absolute")]
    Absolute,
    /// It was ended elsewhere.
    #[field(value = "revoked")]
    Revoked,
    /// The account is not as it was at the sign-in.
    #[field(value = "account")]
    Account,
}

impl Ended {
    pub(super) fn of(arrival: Arrival) -> Option<Ended> {
        match arrival {
            Arrival::Expired(Timeout::Idle) => Some(Ended::Idle),
            Arrival::Expired(Timeout::Absolute) => Some(Ended::Absolute),
            Arrival::Revoked => Some(Ended::Revoked),
            _ => None,
        }
    }

    pub(super) fn notice(self) -> &'static str {
        match self {
            Ended::Idle => "Your session ended because you were away for a while.",
            Ended::Absolute => "Your session ended because it reached its maximum age.",
            Ended::Revoked => {
                "Your session has ended: it was signed out elsewhere, or was unused for too long."
            }
            Ended::Account => {
                "Your session has ended: the password was changed, or the account was disabled or deleted."
            }
        }
    }
}

/// The display name of a realm.
pub(super) fn realm_name(path: &str) -> String {
    let mut letters = path.trim_start_matches('/').chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => "Sessions".into(),
    }
}

fn object(context: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(context) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}
