//! A ledger in Redis: one sorted set by position, so that nothing of it can be evicted alone.

use std::sync::{Arc, Mutex, PoisonError};

use redis::Value;

use super::address::Servers;
use super::command;
use super::link::Link;
use super::row::damaged;
use super::scripts::Script;
use crate::clock::UnixSeconds;
use crate::error::StoreError;
use crate::ledger::{Hints, Line, Log, Page};

/// ARGV: the first position and how many entries.
const READ: &str = "
return {
    redis.call('ZRANGEBYSCORE', KEYS[1], 0, 0),
    redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
}";

/// ARGV: the member that is expected at position 0, and the one to put there.
const CLAIM: &str = "
local held = redis.call('ZRANGEBYSCORE', KEYS[1], 0, 0)[1] or ''
if held ~= ARGV[1] then return 0 end
if held ~= '' then redis.call('ZREM', KEYS[1], held) end
redis.call('ZADD', KEYS[1], 0, ARGV[2])
return 1";

/// ARGV: an entry without its position.
const APPEND: &str = "
local last = tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2] or 0)
if last == 0 then return 0 end
local position = string.format('%016.0f', last + 1)
redis.call('ZADD', KEYS[1], position, position .. ARGV[1])
return position";

/// ARGV: positions and members by turns.
const PUT: &str = "
for i = 1, #ARGV, 2 do
    if redis.call('ZCOUNT', KEYS[1], ARGV[i], ARGV[i]) == 0 then
        redis.call('ZADD', KEYS[1], ARGV[i], ARGV[i + 1])
    end
end
return 1";

/// ARGV: a time, the first position, and how many entries to look at. By the earlier of that time and the server's.
/// Answers how many it has forgotten, and the last position that it has looked at unless that is the end.
const FORGET: &str = "
local now = math.min(tonumber(ARGV[1]), tonumber(redis.call('TIME')[1]))
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0)[1]
local seen = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[2], '+inf', 'LIMIT', 0, ARGV[3])
local forgotten = 0
for _, member in ipairs(seen) do
    if member ~= last and tonumber(member:sub(17, 36)) <= now then
        forgotten = forgotten + redis.call('ZREM', KEYS[1], member)
    end
end
local rest = ''
if #seen == tonumber(ARGV[3]) then rest = seen[#seen]:sub(1, 16) end
return {forgotten, rest}";

/// How many entries are looked at in one step when some are forgotten: the server does nothing else meanwhile.
const WINDOW: &str = "2000";

/// The lengths of an entry's position and of its time, in digits.
const POSITION: usize = 16;
const TIME: usize = 20;

/// What the claim begins with; an entry begins with a digit.
const CLAIMED: u8 = b'c';

/// Keeps the entries of a ledger under `sessions:<namespace>:ledger`: their positions and times as digits, and their
/// bodies.
pub(super) struct RedisLog {
    pub(super) link: Link,
    pub(super) key: String,
    read: Script,
    claim: Script,
    append: Script,
    put: Script,
    forget: Script,
    /// Where the next look for what can be forgotten begins.
    next: Mutex<String>,
}

pub(crate) fn open_log(setting: &str, namespace: &str) -> Result<Arc<dyn Log>, String> {
    let servers = Servers::parse(setting).ok_or("its address is not a Redis address")?;
    Ok(Arc::new(RedisLog {
        link: Link::new(servers),
        key: format!("sessions:{namespace}:ledger"),
        read: Script::new(READ),
        claim: Script::new(CLAIM),
        append: Script::new(APPEND),
        put: Script::new(PUT),
        forget: Script::new(FORGET),
        next: Mutex::new(FIRST.into()),
    }))
}

/// The claim is at position 0.
const FIRST: &str = "1";

impl RedisLog {
    async fn run(&self, script: &Script, arguments: &[&[u8]]) -> Result<Value, StoreError> {
        script.ask(&self.link, &self.key, arguments).await
    }
}

fn claimed(claim: &[u8]) -> Vec<u8> {
    [&[CLAIMED], claim].concat()
}

/// An entry without its position.
fn without_position(line: &Line) -> Vec<u8> {
    let mut text = format!("{:0TIME$}", line.until).into_bytes();
    text.extend_from_slice(&line.body);
    text
}

fn with_position(position: u64, line: &Line) -> Vec<u8> {
    [format!("{position:0POSITION$}").as_bytes(), &without_position(line)].concat()
}

fn entry(member: &Value) -> Result<(u64, Line), StoreError> {
    let read = |member: &[u8]| {
        let (position, rest) = member.split_at_checked(POSITION)?;
        let (until, body) = rest.split_at_checked(TIME)?;
        let digits = |digits: &[u8]| std::str::from_utf8(digits).ok().map(str::to_owned);
        let line = Line { until: digits(until)?.parse().ok()?, body: body.to_vec() };
        Some((digits(position)?.parse().ok()?, line))
    };
    match member {
        Value::BulkString(member) => read(member).ok_or_else(damaged),
        _ => Err(damaged()),
    }
}

#[rocket::async_trait]
impl Log for RedisLog {
    async fn start(&self) -> Result<(), StoreError> {
        self.link.ask_once(&command("ECHO", "sessions")).await.map(drop)
    }

    async fn read(&self, from: u64, limit: usize) -> Result<Page, StoreError> {
        let (from, limit) = (from.max(1).to_string(), limit.min(i32::MAX as usize).to_string());
        let answer = self.run(&self.read, &[from.as_bytes(), limit.as_bytes()]).await?;
        let Value::Array(answer) = answer else { return Err(damaged()) };
        let [Value::Array(claim), Value::Array(lines)] = &answer[..] else { return Err(damaged()) };
        let claim = match &claim[..] {
            [] => None,
            [Value::BulkString(claim)] => Some(claim.get(1..).unwrap_or_default().to_vec()),
            _ => return Err(damaged()),
        };
        Ok(Page { claim, lines: lines.iter().map(entry).collect::<Result<_, _>>()? })
    }

    async fn claim(&self, expected: Option<&[u8]>, claim: &[u8]) -> Result<bool, StoreError> {
        let expected = expected.map(claimed).unwrap_or_default();
        match self.run(&self.claim, &[&expected, &claimed(claim)]).await? {
            Value::Int(set) => Ok(set == 1),
            _ => Err(damaged()),
        }
    }

    async fn append(&self, line: &Line) -> Result<Option<u64>, StoreError> {
        match self.run(&self.append, &[&without_position(line)]).await? {
            Value::Int(0) => Ok(None),
            Value::BulkString(position) => {
                let position = std::str::from_utf8(&position).ok().and_then(|digits| digits.parse().ok());
                position.map(Some).ok_or_else(damaged)
            }
            _ => Err(damaged()),
        }
    }

    async fn put(&self, lines: &[(u64, Line)]) -> Result<(), StoreError> {
        let members = lines
            .iter()
            .map(|(position, line)| [position.to_string().into_bytes(), with_position(*position, line)]);
        let members: Vec<Vec<u8>> = members.flatten().collect();
        let arguments: Vec<&[u8]> = members.iter().map(Vec::as_slice).collect();
        self.run(&self.put, &arguments).await.map(drop)
    }

    /// Looks at a part of the entries each time.
    async fn forget(&self, now: UnixSeconds) -> Result<u64, StoreError> {
        let from = self.next.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer =
            self.run(&self.forget, &[now.to_string().as_bytes(), from.as_bytes(), WINDOW.as_bytes()]).await?;
        let Value::Array(answer) = answer else { return Err(damaged()) };
        let [Value::Int(forgotten), Value::BulkString(rest)] = &answer[..] else { return Err(damaged()) };
        let rest = String::from_utf8_lossy(rest);
        let next = if rest.is_empty() { FIRST.to_owned() } else { format!("({rest}") };
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(u64::try_from(*forgotten).unwrap_or(0))
    }

    fn hints(&self) -> Option<&dyn Hints> {
        Some(self)
    }

    async fn stop(&self) {
        self.link.close();
    }
}
