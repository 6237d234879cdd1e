//! Whether a pool has the devices that a version can run on.

use super::deployments::uses;
use crate::check::codes;
use crate::check::diagnostic::Diagnostic;
use crate::check::records::{Records, Resolved};
use crate::record::kind::Pool;

/// What of `targetDevices` a graphics processor of a pool serves. Devices of other names are in
/// no pool's words, and so are never refused.
const GRAPHICS: [&str; 6] = ["cuda", "gpu", "rocm", "tensorrt", "nvidia", "amd"];

pub(super) fn check(records: &Records<'_>, found: &mut Vec<Diagnostic>) {
    for (document, deployment) in records.deployments() {
        let spec = &deployment.spec;
        let Some(environment) = records.environment(&deployment.metadata.environment) else {
            continue;
        };
        let Some(record) = environment.environment() else {
            continue;
        };
        let pools = &record.spec.pools;
        let chosen = |name: Option<&crate::record::Name>| match (name, pools.as_slice()) {
            (Some(name), _) => pools.iter().position(|pool| pool.name == *name),
            (None, [_]) => Some(0),
            (None, _) => None,
        };
        let requests = spec
            .resources
            .as_ref()
            .and_then(|resources| resources.requests.as_ref());
        let asks = requests.and_then(|amounts| amounts.gpu).unwrap_or(0) > 0;
        for used in uses(records, deployment).iter().filter(|used| used.serves) {
            let (Some(index), Resolved::Found(_, version)) = (chosen(used.pool), &used.resolved)
            else {
                continue;
            };
            let pool = &pools[index];
            if has_graphics(pool) {
                continue;
            }
            let devices = &version.spec.target_devices;
            let needs = !devices.is_empty()
                && devices
                    .iter()
                    .all(|device| GRAPHICS.contains(&device.as_str()));
            let (message, pointer) = if needs {
                let names: Vec<_> = devices.iter().map(|device| device.as_str()).collect();
                let message = format!(
                    "{} {} runs only on {}, which the pool `{}` lacks",
                    version.model_name(),
                    version.metadata.version,
                    names.join(" or "),
                    pool.name
                );
                (message, format!("{}/pool", used.pointer))
            } else if asks {
                let message = format!(
                    "this asks for graphics processors, which the pool `{}` lacks",
                    pool.name
                );
                (message, "/spec/resources/requests/gpu".to_owned())
            } else {
                continue;
            };
            found.push(
                document
                    .error(&codes::DEVICE_MISSING, &pointer, message)
                    .help("choose another pool, or another version")
                    .related(
                        &environment.path,
                        environment.value_at(&format!("/spec/pools/{index}")),
                        "the pool is here",
                    ),
            );
        }
    }
}

fn has_graphics(pool: &Pool) -> bool {
    pool.gpu.unwrap_or(0) > 0
}
