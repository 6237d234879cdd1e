//! What the gateway is handed: the routing table, and what it has to know beside it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::protocol::fit::Signature;
use crate::record::kind::{Parameter, Tensor};
use crate::rollout::{Content, InstanceId, Table};
use crate::target::Endpoint;

/// Where requests go, and everything that is needed to bring them there.
#[derive(Debug, Clone, Default)]
pub struct Routing {
    /// The routes, by deployment.
    pub table: Table,
    /// Where each replica of the table answers, and what it calls its model: answers are told under
    /// the deployment's name whatever that is. One that is left out gets no requests.
    pub endpoints: HashMap<InstanceId, Endpoint>,
    /// What the versions register; requests to one that is left out are not held against anything.
    pub registered: HashMap<Content, Arc<Registered>>,
}

/// What a version's record says of its requests and answers.
#[derive(Debug, Clone, Default)]
pub struct Registered {
    /// What runs it, as `FRAMEWORK_FORMAT`, for the model's metadata.
    pub platform: String,
    /// What it takes; anything where nothing is registered.
    pub inputs: Vec<Tensor>,
    /// What it gives.
    pub outputs: Vec<Tensor>,
    /// What a request may set.
    pub parameters: Vec<Parameter>,
}

impl Registered {
    /// What requests are held against.
    pub fn signature(&self) -> Signature<'_> {
        Signature {
            inputs: &self.inputs,
            outputs: &self.outputs,
            parameters: &self.parameters,
        }
    }
}
