//! What Redis does in one step: each script touches one key.

use redis::{Cmd, Value};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

use super::link::Link;
use super::row::{damaged, read_subject, read_time};
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::store::server::backend::SubjectHash;

/// ARGV: the [head](super::row) and the body of the new row, the expected version, and for how many milliseconds to
/// keep it. A marker replaces whatever has that version; of everything else, no time moves back.
const REPLACE: &str = "
local new, body, expected, ttl = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local old = redis.call('GETRANGE', KEYS[1], 0, 88)
local version, seen, expires, due, subject =
    new:sub(1, 8), new:sub(9, 24), new:sub(25, 40), new:sub(41, 56), new:sub(57)
local old_seen, old_expires, old_due, old_subject =
    old:sub(9, 24), old:sub(25, 40), old:sub(41, 56), old:sub(57)
if old:sub(1, 8) ~= expected or old_expires <= seen then return 0 end
if version == '00000000' then
    redis.call('SET', KEYS[1], new .. body, 'PX', ttl)
    if old_subject:sub(1, 1) == '+' then return {'gone', old_subject:sub(2)} end
    return 1
end
if old_seen > seen then seen = old_seen end
if old_expires > expires then expires = old_expires end
if old_subject == subject and old_due > due then due = old_due end
if due < expires and subject:sub(1, 1) == '+' then return {'due', subject:sub(2), expires} end
ttl = math.max(ttl, redis.call('PTTL', KEYS[1]))
redis.call('SET', KEYS[1], version .. seen .. expires .. due .. subject .. body, 'PX', ttl)
return 1";

/// ARGV: seen, expires, for how many milliseconds to keep the row, and the entry that was made for it: until when it is
/// good, and whose it is. Leaves alone what has expired, and markers.
const TOUCH: &str = "
local seen, expires, ttl, due, subject = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local old = redis.call('GETRANGE', KEYS[1], 0, 88)
local old_seen, old_expires, old_due, old_subject =
    old:sub(9, 24), old:sub(25, 40), old:sub(41, 56), old:sub(57)
if old == '' or old:sub(1, 8) == '00000000' or old_expires <= seen then return 0 end
if old_seen > seen then seen = old_seen end
if old_expires > expires then expires = old_expires end
if old_subject ~= subject or old_due > due then due = old_due end
if due < expires and old_subject:sub(1, 1) == '+' then return {'due', old_subject:sub(2), expires} end
redis.call('SETRANGE', KEYS[1], 8, seen .. expires .. due)
if redis.call('PTTL', KEYS[1]) < tonumber(ttl) then redis.call('PEXPIRE', KEYS[1], ttl) end
return 1";

/// ARGV: the lowest and the highest version to remove.
const REMOVE: &str = "
local old = redis.call('GETRANGE', KEYS[1], 0, 88)
local version = old:sub(1, 8)
if old == '' or version < ARGV[1] or version > ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
if old:sub(57, 57) == '+' then return {'gone', old:sub(58)} end
return 1";

/// ARGV: an id, seen, expires. Drops the entries that expired a day ago, and keeps the others a day longer than their
/// rows: clocks differ. Lua's numbers are exact up to 2⁵³, so the time stays the text that it came in.
const ENTER: &str = "
local id, seen, expires = ARGV[1], ARGV[2], ARGV[3]
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', seen - 86400)
local old = redis.call('ZSCORE', KEYS[1], id)
if not old or tonumber(old) < tonumber(expires) then redis.call('ZADD', KEYS[1], expires, id) end
local ttl = math.min(math.max(expires - seen + 86400, 1), 315360000) * 1000
if redis.call('PTTL', KEYS[1]) < ttl then redis.call('PEXPIRE', KEYS[1], ttl) end
return 1";

/// ARGV: a time and ids. Drops the entries of these ids that expired before it.
const LEAVE_EXPIRED: &str = "
for i = 2, #ARGV do
    local expires = redis.call('ZSCORE', KEYS[1], ARGV[i])
    if expires and tonumber(expires) < tonumber(ARGV[1]) then redis.call('ZREM', KEYS[1], ARGV[i]) end
end
return 1";

/// ARGV: the holder, milliseconds. Refuses while somebody else has the lease.
const GRANT: &str = "
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1";

/// ARGV: the holder. Refuses if it no longer has the lease.
const RELEASE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";

/// What a script answers.
pub(super) enum Answer {
    /// Nothing was changed.
    Refused,
    Done,
    /// It is done, and this subject has a row less.
    Gone(SubjectHash),
    /// Nothing was changed: the row has to be entered under this subject before it can live that long.
    Due(SubjectHash, UnixSeconds),
}

/// A script and the hash that Redis knows it by.
pub(super) struct Script {
    text: &'static str,
    hash: String,
}

pub(super) struct Scripts {
    pub(super) replace: Script,
    pub(super) touch: Script,
    pub(super) remove: Script,
    pub(super) enter: Script,
    pub(super) leave_expired: Script,
    pub(super) grant: Script,
    pub(super) release: Script,
}

impl Scripts {
    pub(super) fn new() -> Scripts {
        Scripts {
            replace: Script::new(REPLACE),
            touch: Script::new(TOUCH),
            remove: Script::new(REMOVE),
            enter: Script::new(ENTER),
            leave_expired: Script::new(LEAVE_EXPIRED),
            grant: Script::new(GRANT),
            release: Script::new(RELEASE),
        }
    }
}

impl Script {
    pub(super) fn new(text: &'static str) -> Script {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
        let hash = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Script { text, hash }
    }

    pub(super) async fn run(
        &self,
        link: &Link,
        key: &str,
        arguments: &[&[u8]],
    ) -> Result<Answer, StoreError> {
        read(self.ask(link, key, arguments).await?)
    }

    pub(super) async fn ask(&self, link: &Link, key: &str, arguments: &[&[u8]]) -> Result<Value, StoreError> {
        // A server that has never seen the text, or was restarted since, keeps it once it was told.
        let text = || self.command("EVAL", self.text, key, arguments);
        link.run(&self.command("EVALSHA", &self.hash, key, arguments), text).await
    }

    fn command(&self, name: &str, script: &str, key: &str, arguments: &[&[u8]]) -> Cmd {
        let size = arguments.iter().map(|argument| argument.len()).sum::<usize>() + script.len() + key.len();
        let mut command = Cmd::with_capacity(arguments.len() + 4, size + 16);
        command.arg(name).arg(script).arg("1").arg(key);
        for argument in arguments {
            command.arg(argument);
        }
        command
    }
}

fn read(answer: Value) -> Result<Answer, StoreError> {
    let words = match answer {
        Value::Int(0) => return Ok(Answer::Refused),
        Value::Int(1) => return Ok(Answer::Done),
        Value::Array(words) => words,
        _ => return Err(damaged()),
    };
    match &words[..] {
        [Value::BulkString(word), Value::BulkString(subject)] if word == b"gone" => {
            Ok(Answer::Gone(read_subject(subject)?))
        }
        [Value::BulkString(word), Value::BulkString(subject), Value::BulkString(expires)]
            if word == b"due" =>
        {
            Ok(Answer::Due(read_subject(subject)?, read_time(expires)?))
        }
        _ => Err(damaged()),
    }
}
