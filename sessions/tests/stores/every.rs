//! One test for each store, over the real thing.

/// Tests `check(url)`, an async function, on every server store. A new store is one more line.
macro_rules! on_every_store {
    ($check:ident) => {
        #[rocket::async_test]
        async fn memory() {
            $check("memory").await;
        }

        #[rocket::async_test]
        async fn sqlite() {
            let directory = tempfile::tempdir().unwrap();
            $check(&format!("sqlite:{}/new/sessions.db", directory.path().display())).await;
        }

        crate::every::on_servers!($check: postgres, mariadb, redis, redis_cluster, redis_sentinel, mongoeco, nx_27017);
    };
}

/// The same on servers, where they are installed.
macro_rules! on_servers {
    ($check:ident: $($server:ident),*) => {
        $(
            #[rocket::async_test]
            async fn $server() {
                let Some(server) = crate::servers::$server() else { return };
                $check(&server.url()).await;
            }
        )*
    };
}

pub(crate) use {on_every_store, on_servers};
