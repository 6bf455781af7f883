//! What is embedded: all that the page names, small enough, each form chosen as the browser allows.
#![allow(clippy::unwrap_used, reason = "tests")]

use pegcount_wallboard::{Asset, Form, Keep, all, find};

/// The most that script and style may weigh, compressed.
const BYTES_MAX: usize = 150 * 1024;

fn of_type(media: &str) -> Vec<&'static Asset> {
    all().iter().filter(|asset| asset.content_type.starts_with(media)).collect()
}

#[test]
fn script_and_style_stay_within_their_budget_in_either_packed_form() {
    let parts = [of_type("text/javascript"), of_type("text/css")].concat();
    assert!(parts.len() >= 2, "a script and a style sheet");
    for form in [Form::Gzip, Form::Brotli] {
        let bytes: usize = parts.iter().map(|asset| asset.bytes(form).len()).sum();
        assert!(bytes <= BYTES_MAX, "{form:?}: {bytes} bytes; the limit is {BYTES_MAX}");
        println!("{form:?}: {bytes} bytes of script and style");
    }
}

#[test]
fn the_page_names_only_files_that_are_there_and_holds_no_code_of_its_own() {
    let page = std::str::from_utf8(find("index.html").unwrap().bytes(Form::Plain)).unwrap();
    let named: Vec<&str> = page
        .split(['"', '\''])
        .filter_map(|part| part.strip_prefix("/"))
        .filter(|path| path.contains('.'))
        .collect();
    assert!(named.len() >= 2, "a script and a style sheet: {named:?}");
    for path in named {
        assert_eq!(find(path).unwrap().keep, Keep::Forever, "{path}");
    }
    for forbidden in ["<style", " onclick=", " onload=", " style=\"", "src=\"http", "href=\"http"] {
        assert!(!page.contains(forbidden), "the page contains {forbidden}");
    }
    assert!(
        page.matches("<script").count() == page.matches("<script type=\"module\" crossorigin src=").count()
    );
}

#[test]
fn the_smallest_form_that_is_allowed_is_chosen_and_has_a_tag_of_its_own() {
    let page = find("index.html").unwrap();
    assert_eq!(page.form("gzip, deflate, br, zstd"), Form::Brotli);
    assert_eq!(page.form("gzip, br;q=0"), Form::Gzip);
    assert_eq!(page.form("identity"), Form::Plain);
    assert_eq!(page.form(""), Form::Plain);
    assert_ne!(page.etag(Form::Gzip), page.etag(Form::Brotli));
    assert!(page.bytes(Form::Brotli).len() < page.bytes(Form::Plain).len());
}

#[test]
fn there_is_no_way_out_of_the_folder() {
    for path in ["", "/", "assets", "assets/", "../Cargo.toml", "assets/../index.html", "index.html.gz"] {
        assert!(find(path).is_none(), "{path}");
    }
}
