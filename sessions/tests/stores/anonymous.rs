//! The bound on anonymous sessions.

mod five_hundred_visitors {
    use rocket::futures::future::join_all;
    use rocket::http::Cookie;
    use rocket::local::asynchronous::Client;
    use world::on_every_store;

    use crate::support::{app, clock};

    /// The setting.
    const MAX: usize = 50;

    async fn without_cookies_leave_few_rows(url: &str) {
        let settings = format!("max_anonymous_sessions = {MAX}");
        let browser = Client::untracked(app(url, &settings, clock())).await.unwrap();
        let opened = async |path: &'static str| -> Cookie<'static> {
            let answer = browser.get(path).dispatch().await;
            answer.cookies().get("__Host-Http-session").cloned().unwrap().into_owned()
        };
        let is_alive = async |cookie: &Cookie<'static>| {
            let answer = browser.get("/read").cookie(cookie.clone()).dispatch().await;
            answer.into_string().await.is_some_and(|text| text.ends_with("Resumed"))
        };
        let signed_in = opened("/login/ada").await;
        let clients = (0..4).map(async |_| {
            let mut cookies = Vec::new();
            for _ in 0..125 {
                cookies.push(opened("/visits").await);
            }
            cookies
        });
        let mut visitors = join_all(clients).await.concat();
        // They are trimmed behind the answers, and again whenever a tenth of the bound has come.
        let mut alive = visitors.len();
        for _ in 0..20 {
            for _ in 0..MAX / 10 {
                visitors.push(opened("/visits").await);
            }
            alive = 0;
            for cookie in &visitors {
                alive += usize::from(is_alive(cookie).await);
            }
            if alive <= MAX + MAX / 5 {
                break;
            }
        }
        assert!((MAX / 2..=MAX + MAX / 5).contains(&alive), "{url}: {alive} of {} are left", visitors.len());
        assert!(is_alive(&signed_in).await, "{url}: who is signed in stays");
        browser.terminate().await;
    }

    on_every_store!(without_cookies_leave_few_rows);
}
