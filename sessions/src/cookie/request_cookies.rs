//! The session's cookies among those of a request.

use std::borrow::Cow;

use memchr::memchr_iter;
use rocket::Request;
use smallvec::SmallVec;

/// A session is cut into at most so many cookies.
pub(crate) const MAX_CHUNKS: usize = 99;

/// At most so many cookies of one name are read, more than two whole sets of chunks: a header may repeat a
/// name endlessly.
const MAX_PIECES: usize = 256;

/// At most this many values may have a piece in common: otherwise a few large pieces make a lot of work.
const MAX_SHARED: usize = 4;

/// The session's cookies of one request, in the order sent, each with the number of its chunk.
pub(crate) struct RequestCookies<'r> {
    /// Nearly always one.
    pieces: SmallVec<[(usize, &'r str); 2]>,
}

impl<'r> RequestCookies<'r> {
    /// The cookies of this name: from the header where there is one, since only the header can show two of
    /// the same name; else from the jar, which Rocket's local client fills.
    pub(crate) fn of(request: &'r Request<'_>, name: &str) -> RequestCookies<'r> {
        // To look at each header costs less than the map's hash of a name.
        let headers = request.headers().iter().filter(|header| header.name == "cookie");
        let mut headers = headers.filter_map(|header| borrowed(header.value)).peekable();
        if headers.peek().is_some() {
            return RequestCookies::parse(headers, name);
        }
        let piece = |cookie: &'r rocket::http::Cookie<'_>| {
            let suffix = cookie.name().strip_prefix(name)?;
            let chunk = if suffix.is_empty() { 0 } else { chunk_number(suffix)? };
            Some((chunk, unquoted(cookie.value())))
        };
        RequestCookies { pieces: request.cookies().iter().filter_map(piece).take(MAX_PIECES).collect() }
    }

    /// The cookies of this name in these `Cookie` header values.
    pub(crate) fn parse(headers: impl Iterator<Item = &'r str>, name: &str) -> RequestCookies<'r> {
        let mut pieces = SmallVec::new();
        for header in headers {
            let mut start = 0;
            for end in memchr_iter(b';', header.as_bytes()).chain([header.len()]) {
                pieces.extend(header.get(start..end).and_then(|pair| piece(pair, name)));
                if pieces.len() == MAX_PIECES {
                    return RequestCookies { pieces };
                }
                start = end + 1;
            }
        }
        RequestCookies { pieces }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Every value of the cookie. If a chunked one was sent twice, the n-th value takes the n-th of each chunk.
    pub(crate) fn values(&self) -> impl Iterator<Item = SentValue<'r>> + '_ {
        let firsts = self.pieces.iter().filter(|(chunk, _)| *chunk == 0);
        // A dot is not base64: after one or two digits it ends the count of a chunked value.
        let dot = |value: &str| value.bytes().take(3).position(|byte| byte == b'.');
        let mut chunked = 0;
        firsts.filter_map(move |(_, value)| match dot(value) {
            None => Some(SentValue { count: 1, text: Cow::Borrowed(value) }),
            Some(dot) => {
                chunked += 1;
                self.joined(chunked - 1, value.get(..dot)?, value.get(dot + 1..)?)
            }
        })
    }

    fn joined(&self, nth: usize, count: &str, first: &str) -> Option<SentValue<'r>> {
        let count = plain_number(count).filter(|count| (2..=MAX_CHUNKS).contains(count))?;
        let mut text = String::from(first);
        for chunk in 1..count {
            text.push_str(self.nth_piece(nth, chunk)?);
        }
        Some(SentValue { count, text: Cow::Owned(text) })
    }

    /// The n-th piece of a chunk. If there are fewer, the last: what looks like the first piece of a session need not be of
    /// one. The seal decides.
    fn nth_piece(&self, nth: usize, chunk: usize) -> Option<&'r str> {
        let mut pieces = self.pieces.iter().filter(|(number, _)| *number == chunk);
        let (_, piece) = if nth < MAX_SHARED { pieces.take(nth + 1).last() } else { pieces.nth(nth) }?;
        Some(piece)
    }

    /// Which chunks were sent: the response may have to remove them.
    pub(crate) fn chunks(&self) -> SentChunks {
        let numbers = self.pieces.iter().map(|(chunk, _)| *chunk);
        let mut chunks: Vec<usize> = numbers.filter(|chunk| *chunk > 0).collect();
        chunks.sort_unstable();
        chunks.dedup();
        SentChunks(chunks)
    }
}

/// One value that may be a session: whole, or joined from its chunks.
pub(crate) struct SentValue<'r> {
    count: usize,
    text: Cow<'r, str>,
}

impl SentValue<'_> {
    /// The number of cookies it came in.
    pub(crate) fn cookies(&self) -> usize {
        self.count
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The length of all its cookies' values, including the count.
    pub(crate) fn bytes(&self) -> usize {
        match self.count {
            1 => self.text.len(),
            count => count.to_string().len() + ".".len() + self.text.len(),
        }
    }
}

/// The numbers of the chunks that the browser sent, beyond the cookie itself.
#[derive(Default)]
pub(crate) struct SentChunks(Vec<usize>);

impl SentChunks {
    /// Those from number `least` on.
    pub(crate) fn from(&self, least: usize) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied().filter(move |chunk| *chunk >= least)
    }
}

fn piece<'r>(pair: &'r str, name: &str) -> Option<(usize, &'r str)> {
    let rest = pair.trim_ascii().strip_prefix(name)?;
    match rest.strip_prefix('=') {
        Some(value) => Some((0, unquoted(value))),
        None => {
            let (suffix, value) = rest.split_once('=')?;
            Some((chunk_number(suffix)?, unquoted(value)))
        }
    }
}

/// A header of a request is borrowed from it.
fn borrowed(value: Cow<'_, str>) -> Option<&str> {
    match value {
        Cow::Borrowed(value) => Some(value),
        Cow::Owned(_) => None,
    }
}

/// A value without the quotes that RFC 6265, 4.1.1, allows around it.
fn unquoted(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// The number of a chunk by what follows the cookie's name: `.1` and so on.
fn chunk_number(suffix: &str) -> Option<usize> {
    plain_number(suffix.strip_prefix('.')?).filter(|chunk| (1..MAX_CHUNKS).contains(chunk))
}

/// A number as this library writes it: digits without a leading zero.
fn plain_number(digits: &str) -> Option<usize> {
    if digits.starts_with(['0', '+']) { None } else { digits.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_repeated_without_end_is_read_to_a_bound() {
        let header = vec!["s=2."; 100_000].join(";");
        let sent = RequestCookies::parse([header.as_str(), header.as_str()].into_iter(), "s");
        assert_eq!(sent.pieces.len(), MAX_PIECES);
    }

    #[test]
    fn a_cookie_of_the_name_that_is_no_session_hides_no_chunked_one() {
        for header in [
            "s=junk; s=2.a; s.1=b",
            "s=junk; s=; s=2.a; s.1=b",
            "s=2.a; s=junk; s.1=b",
            "s.1=b; s=1.; s=9.x; s=2.x; s=2.a",
        ] {
            let sent = RequestCookies::parse(std::iter::once(header), "s");
            assert!(sent.values().any(|value| value.text() == "ab" && value.cookies() == 2), "{header}");
        }
        let work = vec!["s=2."; 250].join(";") + ";s.1=" + &"x".repeat(10_000);
        let sent = RequestCookies::parse(std::iter::once(work.as_str()), "s");
        assert_eq!(sent.values().map(|value| value.text().len()).sum::<usize>(), MAX_SHARED * 10_000);
        let twice = RequestCookies::parse(std::iter::once("s=2.a; s=2.c; s.1=b; s.1=d"), "s");
        assert_eq!(twice.values().map(|value| value.text().to_owned()).collect::<Vec<_>>(), ["ab", "cd"]);
    }

    #[test]
    fn the_chunks_are_those_beyond_the_cookie_itself_each_once() {
        let header = "s=3.a; s.2=c; s.1=b; s.2=d; s.99=e; other.1=f";
        let sent = RequestCookies::parse(std::iter::once(header), "s");
        assert_eq!(sent.chunks().0, [1, 2]);
        let whole = RequestCookies::parse(std::iter::once("s=a"), "s");
        assert_eq!(whole.chunks().0, [0; 0]);
    }
}
