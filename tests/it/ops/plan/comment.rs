//! How a plan looks: in a terminal, and as a comment on a pull request.

use super::Story;
use crate::harness::Sandbox;

#[test]
fn a_reviewer_sees_what_a_merge_would_do() {
    let sandbox = Sandbox::new();
    let story = Story::begins(&sandbox);
    story.changes();
    let text = story.plans(&[]).run().success();
    insta::assert_snapshot!(story.told(&text), @r#"
    ! Merging this: 1 deployment changes, 1 is adjusted, 1 leaves · 1 breaking change
      x vision/defects 1.5.0: its bytes are not in their store
      ! factory/resize: leaves; vision/resize 1.0.0 is drained and ends
      ! vision/defects: its licence changes, MIT → Apache-2.0
      ! vision/defects 1.5.0 breaks those who call it: input image, [-1, 3, 224, 224] -> [1, 3, 256, 256]
      factory/defects: vision/defects 1.4.0 → vision/defects 1.5.0 by canary: 5 % → 50 % → 100 %, 40m at the least, a person approves at 50 %
      factory/reader: text/reader 2.0.0 stays, 1 setting changes
      vision/defects: alias champion, 1.4.0 → 1.5.0
      vision/defects 1.5.0: a new version, released, score 0.973 beside the champion's 0.961 (better); worse in latency_p99_ms

    Environment factory, target process

      defects: vision/defects 1.4.0 → vision/defects 1.5.0 by canary: 5 % → 50 % → 100 %, 40m at the least, a person approves at 50 %
          step  new version gets  from                        until                                        replicas new + old
          1     5 %               when it is ready            10m                                          1 + 2
          2     50 %              10m later, at the earliest  30m and errors hold, then a person approves  1 + 2
          3     100 %             40m later, at the earliest  -                                            2 + 2
        measures errors: error_rate of the gateway, below 0.01, every 30s
        drains vision/defects 1.4.0: no new requests, 30s for those that it has
        vision/defects 1.5.0 is sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd

      reader: text/reader 2.0.0 stays, 1 setting changes
        text/reader 2.0.0 is sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc
        + drift: report

      ! resize: leaves; vision/resize 1.0.0 is drained and ends
        drains vision/resize 1.0.0: no new requests, 30s for those that it has

      Pools
          pool  takes now        at most meanwhile  then             has
          cpu   2 processors     4 processors       2 processors     4 processors
          cpu   4.00 GiB memory  8.00 GiB memory    4.00 GiB memory  8.00 GiB memory
        asks for 1 approval of team:platform
        a merge that comes to another plan than this is not done

    Model vision/defects
        licence: MIT → Apache-2.0
        alias champion: 1.4.0 → 1.5.0
        ~ title: Surface defects -> Surface defects of sheet metal

      vision/defects 1.5.0: a new version, released, score 0.973 beside the champion's 0.961 (better); worse in latency_p99_ms
        ! breaking: input image, [-1, 3, 224, 224] -> [1, 3, 256, 256]
          metric                    this version  champion
          score accuracy ↑ (line3)  0.973 better  0.961
          latency_p99_ms ↓ (cpu)    14 worse      12.5
        x bytes sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd, not in their store
        signatures unknown
        0 golden tests
        files unknown: the store does not have them
        what its record says, against 1.4.0
        + changes: Retrained, thanks @everyone | https://example.com `x`

      Who depends on it
        deployment factory/defects: serves it
        text/reader 2.0.0: needs its output label

    HEAD against BASE
    plan sha256:7329cad7c4ea191c28cf8228247cc2915297d4e3e5e672a58745ae0bdf2246d7
    "#);
}

#[test]
fn the_comment_says_it_at_a_glance_and_records_draw_nothing_in_it() {
    let sandbox = Sandbox::new();
    let story = Story::begins(&sandbox);
    story.changes();
    let markdown = story.plans(&["--output", "markdown"]).run().success();
    insta::assert_snapshot!(story.told(&markdown), @r#"
    <!-- modelyard:plan -->
    ### ⚠️ Merging this: **1 deployment changes, 1 is adjusted, 1 leaves** · **1 breaking change**

    - ⛔ `vision/defects 1.5.0`: its bytes are not in their store
    - ⚠️ `factory/resize`: **leaves**; `vision/resize 1.0.0` is drained and ends
    - ⚠️ `vision/defects`: its licence changes, `MIT` → `Apache-2.0`
    - ⚠️ `vision/defects 1.5.0` **breaks** those who call it: input `image`, `[-1, 3, 224, 224] -> [1, 3, 256, 256]`
    - `factory/defects`: `vision/defects 1.4.0` → `vision/defects 1.5.0` by canary: 5 % → 50 % → 100 %, 40m at the least, **a person approves** at 50 %
    - `factory/reader`: `text/reader 2.0.0` stays, 1 setting changes
    - `vision/defects`: alias `champion`, `1.4.0` → `1.5.0`
    - `vision/defects 1.5.0`: a new version, released, score 0.973 beside the champion's 0.961 (better); **worse** in `latency_p99_ms`

    <details><summary>Environment <code>factory</code>, target <code>process</code></summary>

    #### `defects`: `vision/defects 1.4.0` → `vision/defects 1.5.0` by canary: 5 % → 50 % → 100 %, 40m at the least, **a person approves** at 50 %

    | step | new version gets | from | until | replicas new + old |
    | --- | --- | --- | --- | --- |
    | 1 | 5 % | when it is ready | 10m | 1 + 2 |
    | 2 | 50 % | 10m later, at the earliest | 30m and `errors` hold, then **a person approves** | 1 + 2 |
    | 3 | 100 % | 40m later, at the earliest | - | 2 + 2 |

    - measures `errors: error_rate of the gateway, below 0.01, every 30s`
    - drains `vision/defects 1.4.0`: no new requests, 30s for those that it has
    - `vision/defects 1.5.0` is `sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd`

    #### `reader`: `text/reader 2.0.0` stays, 1 setting changes

    - `text/reader 2.0.0` is `sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc`

    ```diff
    + drift: report
    ```

    #### ⚠️ `resize`: **leaves**; `vision/resize 1.0.0` is drained and ends

    - drains `vision/resize 1.0.0`: no new requests, 30s for those that it has

    #### Pools

    | pool | takes now | at most meanwhile | then | has |
    | --- | --- | --- | --- | --- |
    | `cpu` | 2 processors | 4 processors | 2 processors | 4 processors |
    | `cpu` | 4.00 GiB memory | 8.00 GiB memory | 4.00 GiB memory | 8.00 GiB memory |

    - asks for 1 approval of `team:platform`
    - a merge that comes to another plan than this is not done

    </details>

    <details><summary>Model <code>vision/defects</code></summary>

    - licence: `MIT` → `Apache-2.0`
    - alias `champion`: `1.4.0` → `1.5.0`

    ```diff
    - title: Surface defects
    + title: Surface defects of sheet metal
    ```

    #### `vision/defects 1.5.0`: a new version, released, score 0.973 beside the champion's 0.961 (better); **worse** in `latency_p99_ms`

    - ⚠️ **breaking:** input `image`, `[-1, 3, 224, 224] -> [1, 3, 256, 256]`

    | metric | this version | champion |
    | --- | --- | --- |
    | score `accuracy` ↑ (`line3`) | **0.973** better | 0.961 |
    | `latency_p99_ms` ↓ (`cpu`) | 14 worse | 12.5 |

    - ⛔ bytes `sha256:dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd`, not in their store
    - signatures unknown
    - 0 golden tests
    - files unknown: `the store does not have them`
    - what its record says, against `1.4.0`

    ```diff
    + changes: Retrained, thanks @everyone | https://example.com `x`
    ```

    #### Who depends on it

    - `deployment factory/defects`: `serves it`
    - `text/reader 2.0.0`: `needs its output label`

    </details>

    `HEAD` against `BASE` · plan `sha256:7329cad7c4ea191c28cf8228247cc2915297d4e3e5e672a58745ae0bdf2246d7`
    "#);
}
