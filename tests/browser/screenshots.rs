//! Pictures of every page, to look at: `scripts/screenshots DIRECTORY`. `scripts/check-pages` goes the same way with axe
//! and Lighthouse.

use crate::album::Album;
use crate::states;

#[rocket::async_test]
#[ignore = "writes files: run it by scripts/screenshots"]
async fn every_page_is_pictured_narrow_and_wide_light_and_dark() {
    let album = Album::asked_for();
    states::every_one(&album).await;
    album.assert_flawless();
}
