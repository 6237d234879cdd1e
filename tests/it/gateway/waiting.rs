//! Requests that wait, that are turned away, and that finish while the server stops.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use insta::assert_snapshot;
use modelyard::gateway::Limits;
use modelyard::record::kind::ScaleMetric;
use tokio::sync::Notify;

use super::replica::{Does, Replica};
use super::stage::{Routes, Stage, id, limits, name};

#[tokio::test]
async fn requests_wait_while_nothing_is_ready_and_are_seen_as_load() {
    let stage = Stage::new(limits());
    let digits = name("digits");
    assert_eq!(stage.gateway.load(&digits, None), None);
    stage.gateway.switch(&Routes::default().digits(&[]).0);
    let predictions = async { tokio::join!(stage.predict(), stage.predict(), stage.predict()) };
    let waking = async {
        while stage.gateway.load(&digits, None).unwrap().waiting < 3 {
            tokio::task::yield_now().await;
        }
        let load = stage
            .gateway
            .load(&digits, Some(&ScaleMetric::Concurrency))
            .unwrap();
        assert_eq!(load.value.unwrap().get(), 3.0);
        let replica = Replica::of(7).await;
        let routes = Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]);
        stage.gateway.switch(&routes.0);
        replica
    };
    let ((one, two, three), replica) = tokio::join!(predictions, waking);
    assert_eq!([one.label(), two.label(), three.label()], [7; 3]);
    assert_eq!(replica.count(), 3);
    let load = stage
        .gateway
        .load(&digits, Some(&ScaleMetric::Rps))
        .unwrap();
    assert!(
        load.in_flight > 0,
        "requests between two looks are not overlooked"
    );
    assert!(load.value.unwrap().get() > 0.0);
    let load = stage.gateway.load(&digits, None).unwrap();
    assert_eq!((load.waiting, load.in_flight), (0, 0));
}

#[tokio::test]
async fn nobody_waits_for_ever_nor_for_what_is_gone() {
    let stage = Stage::new(Limits {
        wait_time: Duration::from_millis(200),
        ..limits()
    });
    stage.gateway.switch(&Routes::default().digits(&[]).0);
    let told = stage.predict().await;
    assert_snapshot!(told.refusal(), @"503 nothing-ready: nothing of `digits` was ready within 200ms");
    assert_eq!(told.header("retry-after"), "5");

    let stage = Stage::new(limits());
    stage.gateway.switch(&Routes::default().digits(&[]).0);
    let removal = async {
        while stage.gateway.load(&name("digits"), None).unwrap().waiting == 0 {
            tokio::task::yield_now().await;
        }
        stage.gateway.switch(&Routes::default().0);
    };
    let (told, ()) = tokio::join!(stage.predict(), removal);
    assert_snapshot!(told.refusal(), @"404 no-such-route: nothing is deployed at `digits`");
}

#[tokio::test]
async fn what_comes_above_the_queue_is_turned_away_at_once() {
    let go = Arc::new(Notify::new());
    let replica = Replica::that(Does::Hangs(Arc::clone(&go))).await;
    let stage = Stage::new(Limits {
        at_once: 2,
        queue: 3,
        // Nobody's patience ends here, however slow the machine is.
        answer_time: Duration::from_secs(120),
        wait_time: Duration::from_secs(120),
        ..limits()
    });
    stage
        .gateway
        .switch(&Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]).0);
    let digits = name("digits");
    let sixth = async {
        loop {
            let load = stage.gateway.load(&digits, None).unwrap();
            if (load.waiting, stage.gateway.in_flight(&id(1))) == (3, 2) {
                break;
            }
            tokio::task::yield_now().await;
        }
        stage.predict().await
    };
    let mut five = join_all((0..5).map(|_| stage.predict()));
    let turned_away = tokio::select! {
        told = sixth => told,
        told = &mut five => panic!("nobody was let go: {told:?}"),
    };
    assert_snapshot!(turned_away.refusal(), @"429 queue-full: 3 requests wait already");
    assert_eq!(turned_away.header("retry-after"), "1");

    // Those that waited come to the replica as places get free.
    let letting_go = async {
        loop {
            go.notify_waiters();
            tokio::task::yield_now().await;
        }
    };
    let answered = tokio::select! {
        told = five => told,
        () = letting_go => unreachable!(),
    };
    assert!(answered.iter().all(|told| told.label() == 0));
}

#[tokio::test]
async fn requests_finish_while_the_server_stops_and_the_socket_outlives_it() {
    let go = Arc::new(Notify::new());
    let replica = Replica::that(Does::Hangs(Arc::clone(&go))).await;
    let mut stage = Stage::new(limits());
    stage
        .gateway
        .switch(&Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]).0);
    let request = tokio::spawn({
        let sent = stage
            .client
            .post(stage.url("/digits"))
            .body(super::stage::request());
        async move { sent.send().await.unwrap().status() }
    });
    while stage.gateway.in_flight(&id(1)) == 0 {
        tokio::task::yield_now().await;
    }
    let served = stage.stop();
    while stage.client.get(stage.url("/readyz")).send().await.is_ok() {
        tokio::task::yield_now().await;
    }
    go.notify_one();
    assert_eq!(request.await.unwrap(), 200);
    assert_eq!(served.await.unwrap().cut_off, 0);
}

#[tokio::test]
async fn what_does_not_finish_is_cut_off_in_the_end() {
    let replica = Replica::that(Does::Hangs(Arc::new(Notify::new()))).await;
    let mut stage = Stage::new(Limits {
        drain_time: Duration::from_millis(100),
        ..limits()
    });
    stage
        .gateway
        .switch(&Routes::of(&[&replica]).digits(&[("1.0.0", 100, &[1])]).0);
    let request = tokio::spawn({
        let sent = stage
            .client
            .post(stage.url("/digits"))
            .body(super::stage::request());
        async move { sent.send().await.is_err() }
    });
    while stage.gateway.in_flight(&id(1)) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(stage.stop().await.unwrap().cut_off, 1);
    assert!(request.await.unwrap());
    assert_eq!(stage.gateway.in_flight(&id(1)), 0);
}
