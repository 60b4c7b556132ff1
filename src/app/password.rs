//! `GET|POST …/password`: another password, which ends every other session of the account (ASVS 5.0, 6.2.2, 6.2.3 and
//! 7.4.3).

use std::borrow::Cow;

use rocket::form::FromForm;
use rocket::http::Status;
use rocket::{Route, State, get, post, routes};
use rocket_dyn_templates::context;
use sealed_sessions::Powers;

use super::account_changes::{Known, Proof};
use super::accounts::{Account, Accounts, Proven, Stamp};
use super::audit::Audit;
use super::csrf::Protected;
use super::elsewhere::end_others;
use super::flash::Flash;
use super::login::{Answer, fault};
use super::page::{Html, Page};
use super::passwords;
use super::sender::Sender;
use super::throttle::Address;
use super::user::{Recent, User};
use super::visitor::{Current, Session};

#[derive(FromForm)]
struct Change {
    #[field(default = String::new())]
    username: String,
    /// The account's stamp when the form was shown.
    since: Option<i64>,
    current_password: String,
    new_password: String,
}

#[get("/password")]
async fn form(
    user: Recent<'_>,
    page: Page<'_>,
    audit: Audit,
    accounts: &State<Accounts>,
) -> Result<Html, Status> {
    let Recent(User { session, account }) = user;
    match accounts.look_up(account.id).await {
        Ok(Known::Stamp(since)) => Ok(show(session, &page, Some(since), None, None)),
        Ok(Known::Over | Known::Nothing) => Ok(show(session, &page, None, None, None)),
        Err(error) => {
            audit.fault(&error);
            Err(Status::ServiceUnavailable)
        }
    }
}

/// Asks no older proof than the current password. A form that is sent twice changes the password once and says so both
/// times: the new password is what it asked for.
#[post("/password", data = "<form>")]
async fn submit(
    form: Protected<Change>,
    sender: Sender<'_>,
    _newest: Current<'_>,
    page: Page<'_>,
    audit: Audit,
    accounts: &State<Accounts>,
    from: Address,
) -> Answer {
    let Change { username, since, current_password, new_password } = form.into_inner();
    let User { session, account } = match sender {
        Sender::User(user) => user,
        Sender::Former(former) => {
            let (done, profile) =
                (Flash::PasswordChanged { is_whole: true }, format!("{}/profile", page.realm()));
            return former.sign_in(&username, new_password, done, Some(&profile)).await;
        }
    };
    let since = since.map(Stamp::from);
    // If the form was sent twice, the browser shows the second answer: the session that it opens must be the last.
    let _turn = accounts.turn(&account).await;
    let attempt = Attempt { session, account: &account, since, page: &page, audit: &audit, accounts, from };
    let stamp = match attempt.change(current_password, new_password).await {
        Ok(stamp) => stamp,
        Err(answer) => return answer,
    };
    // Somebody may have signed in meanwhile with the old password.
    let ended = end_others(&page, session, &account, &audit).await;
    let is_whole = ended.is_ok();
    if !is_whole {
        audit.sessions_left(&account);
    }
    keep(session, stamp, Flash::PasswordChanged { is_whole });
    Answer::Done(page.see_other("/profile"))
}

/// A user's attempt to change their password.
struct Attempt<'a> {
    session: Session<'a>,
    account: &'a Account,
    since: Option<Stamp>,
    page: &'a Page<'a>,
    audit: &'a Audit,
    accounts: &'a Accounts,
    from: Address,
}

impl Attempt<'_> {
    /// The account's stamp since the change; `Err` with the answer if there was none.
    async fn change(&self, current: String, new: String) -> Result<Stamp, Answer> {
        let new_problem = passwords::problem(&new, &self.account.name);
        match self.prove(current, new_problem).await? {
            Some(_) if new_problem.is_some() => return Err(self.again(None, new_problem)),
            Some(proven) => {
                // A store that does not answer refuses the change.
                let ended = end_others(self.page, self.session, self.account, self.audit).await;
                ended.map_err(|_| Answer::Fault(Status::ServiceUnavailable))?;
                let changed = self.accounts.change_password(&proven, new.clone()).await;
                if let Some(stamp) = changed.map_err(|error| fault(self.audit, &error))? {
                    self.audit.done("password_changed", self.account);
                    return Ok(stamp);
                }
            }
            None if new_problem.is_some() || !self.has_changed().await => return Err(self.wrong(new_problem)),
            None => {}
        }
        // It was changed by another request. If to the same, the form was sent twice.
        let proven = self.prove(new, None).await?;
        proven.map(|proven| proven.stamp).ok_or_else(|| self.wrong(None))
    }

    /// Checks a password; `None` if it is wrong.
    async fn prove(
        &self,
        password: String,
        new_problem: Option<&'static str>,
    ) -> Result<Option<Proven>, Answer> {
        match self.accounts.prove(self.from, self.account, password).await {
            Ok(Proof::Right(proven)) => Ok(Some(proven)),
            Ok(Proof::Wrong) => Ok(None),
            Ok(Proof::TooOften(wait)) => {
                let show = |error| show(self.session, self.page, self.since, Some(error), new_problem);
                Err(Answer::later(self.audit, REFUSED, Some(self.account), wait, show))
            }
            Err(error) => Err(fault(self.audit, &error)),
        }
    }

    /// Whether the password was changed since the form was shown.
    async fn has_changed(&self) -> bool {
        let now = self.accounts.look_up(self.account.id).await;
        matches!((now, self.since), (Ok(Known::Stamp(now)), Some(since)) if now != since)
    }

    fn wrong(&self, new_problem: Option<&'static str>) -> Answer {
        self.audit.wrong_password(REFUSED, self.account);
        self.again(Some(WRONG.into()), new_problem)
    }

    fn again(&self, current: Option<Cow<'static, str>>, new: Option<&'static str>) -> Answer {
        let html = show(self.session, self.page, self.since, current, new);
        Answer::Again((Status::UnprocessableEntity, html))
    }
}

const REFUSED: &str = "password_change_refused";
const WRONG: &str = "That is not your current password. Nothing was changed.";

/// Keeps the session that the password was changed in: its user has just proven who they are.
fn keep(session: Session<'_>, stamp: Stamp, flash: Flash) {
    let is_compared = session.inspect().powers() == Powers::Nothing;
    session.sign_in(|visitor| {
        visitor.stamp = is_compared.then_some(stamp);
        visitor.flash = Some(flash);
    });
}

fn show(
    session: Session<'_>,
    page: &Page<'_>,
    since: Option<Stamp>,
    current_error: Option<Cow<'static, str>>,
    new_error: Option<&'static str>,
) -> Html {
    let is_wrong = current_error.is_some() || new_error.is_some();
    let title = if is_wrong { "Error: Change your password" } else { "Change your password" };
    page.show_form(&session, "password", title, context! { since, current_error, new_error })
}

pub(super) fn routes() -> Vec<Route> {
    routes![form, submit]
}
