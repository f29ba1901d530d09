//! One object on the bus: a view of an elevation whose properties are shown to those who may see
//! it. Written by hand rather than by zbus's macro, because every look needs to know who looks.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::Arc;

use async_trait::async_trait;
use elevate_protocol::Id;
use zbus::message::{Header, Message};
use zbus::names::{InterfaceName, MemberName};
use zbus::object_server::{DispatchResult, Interface, SignalEmitter};
use zbus::{Connection, DBusError, ObjectServer, OwnedVariant, Variant, fdo};

use super::caller;
use super::error::BusError;
use super::properties::{self, View};
use crate::daemon::Daemon;

/// The signal of every object: its new `State`.
pub(super) const CHANGED: &str = "Changed";

/// What tells the three kinds of object apart.
pub(super) trait Kind: Send + Sync + 'static {
    /// Which properties.
    const VIEW: View;
    /// Under which interface.
    const INTERFACE: &'static str;
}

macro_rules! kind {
    ($name:ident, $view:expr, $interface:expr) => {
        #[derive(Debug)]
        pub(super) struct $name;
        impl Kind for $name {
            const VIEW: View = $view;
            const INTERFACE: &'static str = $interface;
        }
    };
}

kind!(Request, View::Request, elevate_protocol::bus::REQUEST);
kind!(Grant, View::Grant, elevate_protocol::bus::GRANT);
kind!(Session, View::Session, elevate_protocol::bus::SESSION);

/// The object of one elevation.
#[derive(Debug)]
pub(super) struct Object<K> {
    daemon: Arc<Daemon>,
    id: Id,
    kind: std::marker::PhantomData<K>,
}

impl<K: Kind> Object<K> {
    /// The object of `id`.
    pub(super) fn new(daemon: Arc<Daemon>, id: Id) -> Self {
        Object {
            daemon,
            id,
            kind: std::marker::PhantomData,
        }
    }

    async fn look(
        &self,
        bus: &Connection,
        header: Option<&Header<'_>>,
    ) -> Result<HashMap<String, OwnedVariant>, BusError> {
        let header = header
            .ok_or_else(|| crate::elevation::Problem::not_found().into())
            .map_err(|refusal: crate::conversation::Refusal| BusError::from(refusal))?;
        let uid = caller::uid(bus, header).await?;
        let elevation = self.daemon.visible_one(uid, self.id).await?;
        Ok(properties::all(&self.daemon, K::VIEW, &elevation))
    }
}

#[async_trait]
impl<K: Kind> Interface for Object<K> {
    fn name() -> InterfaceName<'static> {
        InterfaceName::from_static_str_unchecked(K::INTERFACE)
    }

    async fn get(
        &self,
        property_name: &str,
        _server: &ObjectServer,
        connection: &Connection,
        header: Option<&Header<'_>>,
        _emitter: &SignalEmitter<'_>,
    ) -> Option<Result<OwnedVariant, Box<dyn DBusError + Send + Sync>>> {
        match self.look(connection, header).await {
            Ok(mut properties) => properties.remove(property_name).map(Ok),
            Err(error) => Some(Err(Box::new(error))),
        }
    }

    async fn get_all(
        &self,
        _server: &ObjectServer,
        connection: &Connection,
        header: Option<&Header<'_>>,
        _emitter: &SignalEmitter<'_>,
    ) -> fdo::Result<HashMap<String, OwnedVariant>> {
        let look = self.look(connection, header).await;
        look.map_err(|error| {
            fdo::Error::AccessDenied(error.description().unwrap_or_default().into())
        })
    }

    async fn set_mut(
        &mut self,
        _property_name: &str,
        _value: &Variant<'_>,
        _server: &ObjectServer,
        _connection: &Connection,
        _header: Option<&Header<'_>>,
        _emitter: &SignalEmitter<'_>,
    ) -> Option<Result<(), Box<dyn DBusError + Send + Sync>>> {
        None
    }

    fn call<'call>(
        &'call self,
        _server: &'call ObjectServer,
        _connection: &'call Connection,
        _message: &'call Message,
        _name: MemberName<'call>,
    ) -> DispatchResult<'call> {
        DispatchResult::NotFound
    }

    fn call_mut<'call>(
        &'call mut self,
        _server: &'call ObjectServer,
        _connection: &'call Connection,
        _message: &'call Message,
        _name: MemberName<'call>,
    ) -> DispatchResult<'call> {
        DispatchResult::NotFound
    }

    fn introspect_to_writer(&self, writer: &mut dyn Write, level: usize) {
        // Writing to a string does not fail.
        let _ = introspect::<K>(writer, level);
    }
}

fn introspect<K: Kind>(writer: &mut dyn Write, level: usize) -> std::fmt::Result {
    let indent = " ".repeat(level);
    writeln!(writer, "{indent}<interface name=\"{}\">", K::INTERFACE)?;
    for (name, signature) in properties::signature(K::VIEW) {
        writeln!(
            writer,
            "{indent}  <property name=\"{name}\" type=\"{signature}\" access=\"read\">\n\
             {indent}    <annotation name=\"org.freedesktop.DBus.Property.EmitsChangedSignal\" value=\"false\"/>\n\
             {indent}  </property>"
        )?;
    }
    writeln!(writer, "{indent}  <signal name=\"{CHANGED}\">")?;
    writeln!(writer, "{indent}    <arg name=\"state\" type=\"s\"/>")?;
    writeln!(writer, "{indent}  </signal>\n{indent}</interface>")
}
