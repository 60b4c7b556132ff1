//! What Redis does in one step: each script touches one key.

use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::LuaInterface;
use fred::types::{FromValue, Value};

/// What the scripts have in common. Lua's numbers are exact up to 2⁵³, so times are kept as the text that
/// they came in. A key is kept for one second at least and ten years at most: what lives longer is renewed by
/// then.
const COMMON: &str = "
local function before(a, b) return tonumber(a) < tonumber(b) end
local function later(a, b) if before(a, b) then return b end return a end
local function keep(seconds)
    local ttl = math.min(math.max(seconds, 1), 315360000) * 1000
    if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
end
local function write(now, version, seen, expires, body, subject)
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], 'version', version, 'seen', seen, 'expires', expires, 'body', body)
    if subject then redis.call('HSET', KEYS[1], 'subject', subject) end
    keep(expires - now)
end
";

/// ARGV: the columns of the row. 0 if there is one.
const INSERT: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
write(ARGV[2], unpack(ARGV))
return 1";

/// ARGV: the columns of the new row, its subject or '', and the expected version. 0 if there is no such row.
const REPLACE: &str = "
local version, now, expires, body, subject, expected = unpack(ARGV)
local old = redis.call('HMGET', KEYS[1], 'version', 'seen', 'expires')
if old[1] ~= expected or not before(now, old[3]) then return 0 end
local seen = now
if version ~= '0' then seen, expires = later(old[2], seen), later(old[3], expires) end
write(now, version, seen, expires, body, subject ~= '' and subject)
return 1";

/// ARGV: seen, expires. 0 if there is no row that is alive.
const TOUCH: &str = "
local now, expires = unpack(ARGV)
local old = redis.call('HMGET', KEYS[1], 'version', 'seen', 'expires')
if not old[1] or old[1] == '0' or not before(now, old[3]) then return 0 end
expires = later(old[3], expires)
redis.call('HSET', KEYS[1], 'seen', later(old[2], now), 'expires', expires)
keep(expires - now)
return 1";

/// ARGV: the expected version. Nil if there is no such row, else whose it was, or ''.
const REMOVE: &str = "
local found = redis.call('HMGET', KEYS[1], 'version', 'subject')
if found[1] ~= ARGV[1] then return false end
redis.call('DEL', KEYS[1])
return found[2] or ''";

/// ARGV: an id, seen, expires. Drops the entries that expired a day ago, and keeps the others a day longer
/// than their rows: clocks differ.
const ENTER: &str = "
local id, now, expires = unpack(ARGV)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 86400)
redis.call('ZADD', KEYS[1], later(redis.call('ZSCORE', KEYS[1], id) or expires, expires), id)
keep(expires - now + 86400)
return 1";

/// ARGV: the holder, milliseconds. 0 if somebody else has the lease.
const GRANT: &str = "
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1";

/// ARGV: the holder. 0 if it no longer has the lease.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";

/// A script and the hash that Redis knows it by.
pub(super) struct Script {
    text: String,
    hash: String,
}

pub(super) struct Scripts {
    pub(super) insert: Script,
    pub(super) replace: Script,
    pub(super) touch: Script,
    pub(super) remove: Script,
    pub(super) enter: Script,
    pub(super) grant: Script,
    pub(super) release: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        Scripts {
            insert: Script::new(INSERT),
            replace: Script::new(REPLACE),
            touch: Script::new(TOUCH),
            remove: Script::new(REMOVE),
            enter: Script::new(ENTER),
            grant: Script::new(GRANT),
            release: Script::new(RELEASE),
        }
    }
}

impl Script {
    fn new(script: &str) -> Script {
        let text = [COMMON, script].concat();
        Script { hash: fred::util::sha1_hash(&text), text }
    }

    pub(super) async fn run<V: FromValue>(
        &self,
        client: &Client,
        key: &str,
        arguments: Vec<Value>,
    ) -> Result<V, Error> {
        match client.evalsha(self.hash.as_str(), key, arguments.clone()).await {
            // A server that has never seen it, or was restarted since: told the text, it keeps it.
            Err(error) if error.details().starts_with("NOSCRIPT") => {
                client.eval(self.text.as_str(), key, arguments).await
            }
            answer => answer,
        }
    }
}
