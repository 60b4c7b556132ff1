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

/// ARGV: now, the version expected, milliseconds to keep, then fields and values. 1 on a conflict, 2 when
/// there is no live session.
const WRITE: &str = "
local found = redis.call('HMGET', KEYS[1], 'version', 'expires')
if not found[1] or tonumber(found[2]) <= tonumber(ARGV[1]) then return 2 end
if found[1] ~= ARGV[2] then return 1 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 0";

/// ARGV: now, when it expires, milliseconds to keep. Moves nothing back. 2 when there is no live session.
const TOUCH: &str = "
local found = redis.call('HMGET', KEYS[1], 'version', 'expires', 'seen')
if not found[1] or tonumber(found[2]) <= tonumber(ARGV[1]) then return 2 end
if tonumber(found[3]) < tonumber(ARGV[1]) then redis.call('HSET', KEYS[1], 'seen', ARGV[1]) end
if tonumber(found[2]) < tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[1], 'expires', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return 0";

/// Deletes a session; of the marker that a renewed id left, says which session it became.
const DELETE: &str = "
local next = redis.call('HGET', KEYS[1], 'next')
if next then return next end
redis.call('DEL', KEYS[1])
return ''";

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
    pub(super) touch: Script,
    pub(super) delete: Script,
    pub(super) enter: Script,
    pub(super) release: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        let script = |text| Script { text, hash: fred::util::sha1_hash(text) };
        Scripts {
            create: script(CREATE),
            write: script(WRITE),
            touch: script(TOUCH),
            delete: script(DELETE),
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
