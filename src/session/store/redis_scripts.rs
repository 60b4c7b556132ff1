//! What Redis does in one step: each script touches one key.

use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::LuaInterface;
use fred::types::{FromValue, Value};

/// ARGV: milliseconds to keep, then fields and values. 1 when the key is taken.
const CREATE: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 then return 1 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 0";

/// ARGV: now, the version expected or nothing, whether to replace all fields, milliseconds to keep, then
/// fields and values. 1 on a conflict, 2 when there is no live session.
const WRITE: &str = "
local found = redis.call('HMGET', KEYS[1], 'version', 'expires')
if not found[1] or tonumber(found[2]) <= tonumber(ARGV[1]) then return 2 end
if ARGV[2] ~= '' and found[1] ~= ARGV[2] then return 1 end
if ARGV[3] == '1' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], unpack(ARGV, 5))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 0";

/// ARGV: the session, when it expires, milliseconds to keep the list at least, what expired before this is
/// left out.
const ENTER: &str = "
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 0";

/// ARGV: the holder, who gives the lock back if it is still theirs.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0";

/// A script and the hash that Redis knows it by.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

pub(super) struct Scripts {
    pub(super) create: Script,
    pub(super) write: Script,
    pub(super) enter: Script,
    pub(super) release: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        let script = |text| Script { text, hash: fred::util::sha1_hash(text) };
        Scripts {
            create: script(CREATE),
            write: script(WRITE),
            enter: script(ENTER),
            release: script(RELEASE),
        }
    }
}

impl Script {
    pub(super) async fn run<V: FromValue>(
        &self,
        client: &Client,
        key: &str,
        arguments: Vec<Value>,
    ) -> Result<V, Error> {
        match client.evalsha(self.hash.as_str(), key, arguments.clone()).await {
            // A server that has never seen it, or was restarted since: told the text, it keeps it.
            Err(error) if error.details().starts_with("NOSCRIPT") => {
                client.eval(self.text, key, arguments).await
            }
            answer => answer,
        }
    }
}
