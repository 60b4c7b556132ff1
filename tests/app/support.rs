//! An app of its own for each test, and browsers for it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rocket::figment::value::Value;
use rocket::http::{ContentType, Cookie, Status};
use rocket::local::asynchronous::{Client, LocalResponse};
use rocket::{Build, Rocket};
use sealed_sessions::testing::ManualClock;
use sealed_sessions_app::app;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;
use time::OffsetDateTime;

pub const PASSWORD: &str = "a lighthouse keeper's lamp";

pub struct App {
    pub clock: Arc<ManualClock>,
    /// Rocket's own client keeps the cookies; each test browses as one person unless it says otherwise.
    pub client: Client,
    /// A cookie from elsewhere, sent with every request: Rocket's client takes none but by answers.
    brought: Option<Cookie<'static>>,
    directory: TempDir,
    /// What is set otherwise than by default.
    settings: Settings,
}

/// Settings by their keys.
pub type Settings = &'static [(&'static str, &'static str)];

impl App {
    pub async fn start() -> App {
        App::start_with(|rocket| rocket).await
    }

    /// The app with these settings, as a variable of the environment would have them.
    pub async fn configured(settings: Settings) -> App {
        App::start_as(settings, |rocket| rocket).await
    }

    /// The app with something more.
    pub async fn start_with(more: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> App {
        App::start_as(&[], more).await
    }

    async fn start_as(settings: Settings, more: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> App {
        let directory = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap()));
        let client = Client::tracked(more(Self::rocket(&directory, clock.clone(), settings))).await.unwrap();
        App { clock, client, brought: None, directory, settings }
    }

    /// The same app after a restart, with the cookie of the same browser.
    pub async fn restarted(self) -> App {
        let App { clock, client, directory, settings, .. } = self;
        let brought = client.cookies().get("__Host-Http-stateless").cloned();
        client.terminate().await;
        let client = Client::tracked(Self::rocket(&directory, clock.clone(), settings)).await.unwrap();
        App { clock, client, brought, directory, settings }
    }

    /// This app, with the cookie of another one's browser.
    pub fn visited_by_the_browser_of(self, other: &App) -> App {
        App { brought: other.client.cookies().get("__Host-Http-stateless").cloned(), ..self }
    }

    fn rocket(directory: &TempDir, clock: Arc<ManualClock>, settings: Settings) -> Rocket<Build> {
        let mut figment = app::figment().merge(("data_dir", directory.path())).merge(("log_level", "off"));
        for (key, value) in settings {
            figment = figment.merge((*key, value.parse::<Value>().unwrap()));
        }
        app::build(figment, clock)
    }

    /// Holds its data.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(path.to_owned()).cookies(self.brought.clone()).dispatch().await).await
    }

    /// Sends a form with the token of the page at `path`, or of the page that it leads to.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let form = if path.ends_with("/logout") { path.replace("/logout", "") } else { path.to_owned() };
        let mut page = self.get(&form).await;
        if page.status == Status::SeeOther {
            page = self.get(page.location()).await;
        }
        let token = page.token().unwrap_or_default();
        self.post(path, &[&[("csrf_token", token.as_str())], fields].concat()).await
    }

    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_from(None, path, fields).await
    }

    /// Sends a form as from this address.
    pub async fn post_from(&self, address: Option<IpAddr>, path: &str, fields: &[(&str, &str)]) -> Answer {
        let encode = |text: &str| rocket::http::RawStr::new(text).percent_encode().to_string();
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let mut request = self.client.post(path.to_owned()).header(ContentType::Form).body(body.join("&"));
        if let Some(address) = address {
            request = request.remote(SocketAddr::new(address, 0));
        }
        Answer::of(request.cookies(self.brought.clone()).dispatch().await).await
    }

    /// The number of the account that is signed in, from its cookie's page.
    pub async fn account_number(&self) -> String {
        let page = self.get("/stateless/cookie").await;
        let (_, rest) = page.body.split_once("&quot;subject&quot;: &quot;").expect("somebody is signed in");
        rest.split_once("&quot;").unwrap().0.to_owned()
    }

    /// Changes the database behind the app's back.
    pub async fn database(&self, statement: &str) {
        let options = SqliteConnectOptions::new().filename(self.directory().join("app.db"));
        let mut connection = options.connect().await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned())).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    pub async fn register(&self, name: &str) -> Answer {
        self.submit("/stateless/register", &[("username", name), ("password", PASSWORD)]).await
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: Status,
    pub headers: BTreeMap<String, Vec<String>>,
    pub body: String,
}

impl Answer {
    pub async fn of(response: LocalResponse<'_>) -> Answer {
        let status = response.status();
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for header in response.headers().iter() {
            headers
                .entry(header.name.to_string().to_lowercase())
                .or_default()
                .push(header.value.into_owned());
        }
        Answer { status, headers, body: response.into_string().await.unwrap_or_default() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.first().map(String::as_str)
    }

    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, Status::SeeOther, "{}", self.body);
        self.header("location").unwrap()
    }

    pub fn token(&self) -> Option<String> {
        let (_, rest) = self.body.split_once("name=\"csrf_token\" value=\"")?;
        Some(rest.split_once('"')?.0.to_owned())
    }

    /// What stands between `opening` and the next tag.
    pub fn after(&self, opening: &str) -> Option<&str> {
        Some(self.body.split_once(opening)?.1.split_once('<')?.0)
    }

    pub fn visits(&self) -> Option<&str> {
        self.after("<output id=\"visits\">")
    }

    pub fn notice(&self) -> Option<&str> {
        self.after("role=\"status\">")
    }
}
