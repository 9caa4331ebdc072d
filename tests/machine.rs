//! Real logins in private machines: real libpam, sshd, su and sudo, and a gateway over TLS.
//!
//! One file a theme below `machine/`; the support makes the machines.

#![allow(clippy::unwrap_used)]

mod support;

#[path = "machine/check.rs"]
mod check;
#[path = "machine/check_more.rs"]
mod check_more;
#[path = "machine/commands.rs"]
mod commands;
#[path = "machine/corpus.rs"]
mod corpus;
#[path = "machine/delivery.rs"]
mod delivery;
#[path = "machine/enable.rs"]
mod enable;
#[path = "machine/enable_sshd.rs"]
mod enable_sshd;
#[path = "machine/enrolling.rs"]
mod enrolling;
#[path = "machine/fault_points.rs"]
mod fault_points;
#[path = "machine/faults.rs"]
mod faults;
#[path = "machine/fleet.rs"]
mod fleet;
#[path = "machine/fleet_admin.rs"]
mod fleet_admin;
#[path = "machine/fleet_set.rs"]
mod fleet_set;
#[path = "machine/fleet_trouble.rs"]
mod fleet_trouble;
#[path = "machine/habits.rs"]
mod habits;
#[path = "machine/helper_life.rs"]
mod helper_life;
#[path = "machine/hosts.rs"]
mod hosts;
#[path = "machine/jail.rs"]
mod jail;
#[path = "machine/languages.rs"]
mod languages;
#[path = "machine/ldap.rs"]
mod ldap;
#[path = "machine/ldap_admin.rs"]
mod ldap_admin;
#[path = "machine/ldap_pins.rs"]
mod ldap_pins;
#[path = "machine/ldap_size.rs"]
mod ldap_size;
#[path = "machine/ldap_trouble.rs"]
mod ldap_trouble;
#[path = "machine/lifetime.rs"]
mod lifetime;
#[path = "machine/limits_attack.rs"]
mod limits_attack;
#[path = "machine/limits_callers.rs"]
mod limits_callers;
#[path = "machine/limits_clock.rs"]
mod limits_clock;
#[path = "machine/limits_crowd.rs"]
mod limits_crowd;
#[path = "machine/limits_kill.rs"]
mod limits_kill;
#[path = "machine/limits_state.rs"]
mod limits_state;
#[path = "machine/load.rs"]
mod load;
#[path = "machine/log_trouble.rs"]
mod log_trouble;
#[path = "machine/logins.rs"]
mod logins;
#[path = "machine/memory.rs"]
mod memory;
#[path = "machine/modems.rs"]
mod modems;
#[path = "machine/nss.rs"]
mod nss;
#[path = "machine/others.rs"]
mod others;
#[path = "machine/outcomes.rs"]
mod outcomes;
#[path = "machine/package.rs"]
mod package;
#[path = "machine/playbook.rs"]
mod playbook;
#[path = "machine/policy.rs"]
mod policy;
#[path = "machine/provider_answers.rs"]
mod provider_answers;
#[path = "machine/provider_rows.rs"]
mod provider_rows;
#[path = "machine/providers.rs"]
mod providers;
#[path = "machine/return_codes.rs"]
mod return_codes;
#[path = "machine/round_trips.rs"]
mod round_trips;
#[path = "machine/secrets.rs"]
mod secrets;
#[path = "machine/sending.rs"]
mod sending;
#[path = "machine/setup.rs"]
mod setup;
#[path = "machine/ssh_use.rs"]
mod ssh_use;
#[path = "machine/stack_walks.rs"]
mod stack_walks;
#[path = "machine/stacks.rs"]
mod stacks;
#[path = "machine/users.rs"]
mod users;
#[path = "machine/verdicts.rs"]
mod verdicts;
#[path = "machine/verify.rs"]
mod verify;
#[path = "machine/voice.rs"]
mod voice;
