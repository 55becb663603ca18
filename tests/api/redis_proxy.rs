//! A proxy between a replica and its Redis, which is slow, or holds answers back.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use open_chat::redis_store::TIMEOUT;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::harness::{Service, rules};
use crate::redis::{Redis, is_found};

#[derive(Default)]
struct Plan {
    /// How long each answer is kept, one after another.
    delays: Vec<Duration>,
    answers: usize,
    /// A request with all of these words in it, from which on no answer comes.
    hold_from: Vec<String>,
}

pub struct RedisProxy {
    address: SocketAddr,
    plan: Arc<Mutex<Plan>>,
    holding: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl RedisProxy {
    pub async fn before(redis: &Redis) -> Self {
        let redis = redis.address();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plan = Arc::<Mutex<Plan>>::default();
        let (holding, _) = watch::channel(false);
        let (shared, sender) = (Arc::clone(&plan), holding.clone());
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(redis).await else {
                    continue;
                };
                tokio::spawn(pass(client, server, Arc::clone(&shared), sender.clone()));
            }
        });
        Self {
            address,
            plan,
            holding,
            task,
        }
    }

    /// A replica whose Redis is behind this.
    /// A replica that finds this Redis as slow as every service does.
    pub async fn replica(&self, variables: &[(&str, &str)]) -> Service {
        let url = format!("redis://{}/0", self.address);
        let mut all = vec![("REDIS_URL", url.as_str())];
        all.extend(variables);
        let service = Service::start_at(rules(), &all, &[], TIMEOUT);
        service.wait_until_ready().await;
        is_found(&service).await;
        service
    }

    /// Keeps each answer for so many milliseconds, in turn.
    pub fn delay(&self, milliseconds: &[u64]) {
        let delays = milliseconds.iter().copied().map(Duration::from_millis);
        self.plan.lock().unwrap().delays = delays.collect();
    }

    /// Lets no answer through from the first request on that has both words in it.
    pub fn hold_from(&self, word: &str, other: &str) {
        self.plan.lock().unwrap().hold_from = vec![word.into(), other.into()];
    }

    pub fn is_holding(&self) -> bool {
        *self.holding.borrow()
    }

    /// Lets all answers through again, those that were held back first.
    pub fn release(&self) {
        self.plan.lock().unwrap().hold_from.clear();
        self.holding.send_replace(false);
    }
}

impl Drop for RedisProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(
    client: TcpStream,
    server: TcpStream,
    plan: Arc<Mutex<Plan>>,
    holding: watch::Sender<bool>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let mut is_held = holding.subscribe();
    let requests = {
        let plan = Arc::clone(&plan);
        async move {
            let mut bytes = vec![0; 64 * 1024];
            while let Ok(length @ 1..) = from_client.read(&mut bytes).await {
                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                let words = plan.lock().unwrap().hold_from.clone();
                if !words.is_empty() && words.iter().all(|word| text.contains(word)) {
                    holding.send_replace(true);
                }
                if to_server.write_all(&bytes[..length]).await.is_err() {
                    return;
                }
            }
        }
    };
    let answers = async move {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from_server.read(&mut bytes).await {
            let delay = {
                let mut plan = plan.lock().unwrap();
                plan.answers += 1;
                let turn = plan.answers;
                let delays = &plan.delays;
                (!delays.is_empty()).then(|| delays[turn % delays.len()])
            };
            if let Some(delay) = delay {
                tokio::time::sleep(delay).await;
            }
            if is_held.wait_for(|is_held| !is_held).await.is_err()
                || to_client.write_all(&bytes[..length]).await.is_err()
            {
                return;
            }
        }
    };
    tokio::select! { () = requests => {}, () = answers => {} }
}
