//! One test for each store.

/// Tests `check(url)`, an async function, on every server store. A new store is one more name.
#[macro_export]
macro_rules! on_every_store {
    ($check:ident) => {
        #[rocket::async_test]
        async fn memory() {
            $check("memory").await;
        }

        $crate::on_servers!(
            $check: sqlite, postgres, mariadb, redis, redis_cluster, redis_sentinel, mongoeco, nx_27017
        );
    };
}

/// Tests `check(url)` on the [databases](crate::databases) of these names, where they are installed.
#[macro_export]
macro_rules! on_servers {
    ($check:ident: $($database:ident),*) => {
        $(
            #[rocket::async_test]
            async fn $database() {
                let Some(database) = $crate::databases::$database() else { return };
                $check(&database.url()).await;
            }
        )*
    };
}
