//! Tables that are switched under load.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::replica::Replica;
use super::stage::{Routes, Stage, id, limits, name};

/// How many clients ask at once.
const CLIENTS: usize = 16;
/// How often the table is switched.
const SWITCHES: u64 = 60;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_fails_while_versions_come_and_go() {
    let stage = Arc::new(Stage::new(limits()));
    let mut replica = Replica::of(0).await;
    let at = |number: u64, replica: &Replica| Routes::default().at(number, replica.address);
    stage
        .gateway
        .switch(&at(0, &replica).digits(&[("1.0.0", 100, &[0])]).0);
    let is_over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (stage, is_over) = (Arc::clone(&stage), Arc::clone(&is_over));
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    stage.predict().await.label();
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for number in 1..=SWITCHES {
        let next = Replica::of(1).await;
        let (old, new) = (format!("1.0.{}", number - 1), format!("1.0.{number}"));
        let both = at(number - 1, &replica).at(number, next.address);
        for weight in [1, 50, 99] {
            let split = both.clone();
            let split = split.digits(&[
                (&old, 100 - weight, &[number - 1]),
                (&new, weight, &[number]),
            ]);
            stage.gateway.switch(&split.0);
        }
        stage
            .gateway
            .switch(&at(number, &next).digits(&[(&new, 100, &[number])]).0);
        // It left the table: as soon as it has nothing in hand it may be killed.
        while stage.gateway.in_flight(&id(number - 1)) > 0 {
            tokio::task::yield_now().await;
        }
        replica.kill().await;
        replica = next;
        let before = answered.load(Ordering::SeqCst);
        while answered.load(Ordering::SeqCst) < before + CLIENTS {
            tokio::task::yield_now().await;
        }
    }
    is_over.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.unwrap();
    }
    let load = stage.gateway.load(&name("digits"), None).unwrap();
    assert_eq!(load.waiting, 0);
    assert!(answered.load(Ordering::SeqCst) >= CLIENTS * 60);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_request_fails_while_a_deployment_sleeps_and_wakes() {
    let stage = Arc::new(Stage::new(limits()));
    let replica = Replica::of(7).await;
    let awake = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&awake.0);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let stage = Arc::clone(&stage);
            tokio::spawn(async move {
                for _ in 0..50 {
                    assert_eq!(stage.predict().await.label(), 7);
                }
            })
        })
        .collect();
    let mut clients = std::pin::pin!(futures_util::future::join_all(clients));
    loop {
        for routes in [Routes::default().digits(&[]), awake.clone()] {
            stage.gateway.switch(&routes.0);
            tokio::task::yield_now().await;
        }
        if let Some(all) = futures_util::FutureExt::now_or_never(&mut clients) {
            assert!(all.iter().all(Result::is_ok));
            return;
        }
    }
}

#[tokio::test]
async fn one_route_is_set_and_removed_without_the_others() {
    let (one, other) = (Replica::of(1).await, Replica::of(2).await);
    let stage = Stage::new(limits());
    let routes = Routes::of(&[&one, &other]).digits(&[("1.0.0", 100, &[1])]);
    stage.gateway.switch(&routes.0);
    let mut route = routes.0.table[&name("digits")].clone();
    route.path = None;
    route.backends = super::stage::of(vec![Routes::backend("1.1.0", 100, &[2])]);
    let known = |number| (id(number), routes.0.endpoints[&id(number)].clone());
    let endpoints = [known(2)].into();
    stage.gateway.set_route(&name("copy"), &route, &endpoints);
    assert_eq!(stage.predict().await.label(), 1);
    let copy = async || {
        stage
            .post("/v2/models/copy/infer", super::stage::request())
            .await
    };
    assert_eq!(copy().await.label(), 2);
    assert_eq!(stage.gateway.routes().len(), 2);
    stage.gateway.remove_route(&name("copy"));
    assert_eq!(copy().await.status, 404);
    assert_eq!(stage.predict().await.label(), 1);
    assert_eq!(stage.gateway.all_in_flight(), [].into());
}

#[tokio::test]
async fn any_table_is_served_as_far_as_it_can_be() {
    let replica = Replica::of(7).await;
    let stage = Stage::new(limits());
    // Two deployments on one path, a backend whose replica nobody knows, a path of the protocol's,
    // and an empty model's name.
    let mut routes = Routes::of(&[&replica]);
    routes = routes.digits(&[("1.0.0", 50, &[1]), ("1.1.0", 50, &[99])]);
    let digits = routes.0.table[&name("digits")].clone();
    routes.0.table.insert(name("copy"), digits.clone());
    let mut reserved = digits.clone();
    reserved.path = Some("/v2".parse().unwrap());
    routes.0.table.insert(name("reserved"), reserved);
    stage.gateway.switch(&routes.0);
    for _ in 0..10 {
        assert_eq!(stage.predict().await.label(), 7);
    }
    assert_eq!(
        stage.post("/digits", super::stage::request()).await.label(),
        7
    );
    assert_eq!(stage.get("/v2").await.status, 200);
    let odd = routes.0.endpoints.get_mut(&id(1)).unwrap();
    odd.model = "no name\n".to_owned();
    stage.gateway.switch(&routes.0);
    assert_eq!(stage.get("/v2/models/digits/ready").await.status, 503);
}
