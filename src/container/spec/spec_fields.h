// The schema: for each type of spec.h, one function that lists its members by their names in
// config.json, in the order in which they are written. Reader and writer are visitors of these
// tables and so cannot disagree.
//   v.field(name, member)     optional: absent is the member's default, and a default is not
//   written v.required(name, member)  absent is an error; always written
#pragma once

#include "container/spec/spec.h"

namespace berth::container {

template <typename V>
void visit_fields(V& v, IdMapping& m) {
  v.required("containerID", m.container_id);
  v.required("hostID", m.host_id);
  v.required("size", m.size);
}

template <typename V>
void visit_fields(V& v, User& m) {
  v.required("uid", m.uid);
  v.required("gid", m.gid);
  v.field("umask", m.umask);
  v.field("additionalGids", m.additional_gids);
}

template <typename V>
void visit_fields(V& v, Capabilities& m) {
  v.field("bounding", m.bounding);
  v.field("effective", m.effective);
  v.field("inheritable", m.inheritable);
  v.field("permitted", m.permitted);
  v.field("ambient", m.ambient);
}

template <typename V>
void visit_fields(V& v, Rlimit& m) {
  v.required("type", m.type);
  v.required("hard", m.hard);
  v.required("soft", m.soft);
}

template <typename V>
void visit_fields(V& v, ConsoleSize& m) {
  v.required("height", m.height);
  v.required("width", m.width);
}

template <typename V>
void visit_fields(V& v, Scheduler& m) {
  v.required("policy", m.policy);
  v.field("nice", m.nice);
  v.field("priority", m.priority);
  v.field("flags", m.flags);
  v.field("runtime", m.runtime);
  v.field("deadline", m.deadline);
  v.field("period", m.period);
}

template <typename V>
void visit_fields(V& v, IoPriority& m) {
  v.required("class", m.io_class);
  v.field("priority", m.priority);
}

template <typename V>
void visit_fields(V& v, CpuAffinity& m) {
  v.field("initial", m.initial);
  v.field("final", m.final);
}

template <typename V>
void visit_fields(V& v, Process& m) {
  v.field("terminal", m.terminal);
  v.field("consoleSize", m.console_size);
  v.field("user", m.user);
  v.field("args", m.args);
  v.field("env", m.env);
  v.required("cwd", m.cwd);
  v.field("capabilities", m.capabilities);
  v.field("rlimits", m.rlimits);
  v.field("noNewPrivileges", m.no_new_privileges);
  v.field("oomScoreAdj", m.oom_score_adj);
  v.field("apparmorProfile", m.apparmor_profile);
  v.field("selinuxLabel", m.selinux_label);
  v.field("scheduler", m.scheduler);
  v.field("ioPriority", m.io_priority);
  v.field("execCPUAffinity", m.exec_cpu_affinity);
}

template <typename V>
void visit_fields(V& v, Root& m) {
  v.required("path", m.path);
  v.field("readonly", m.readonly);
}

template <typename V>
void visit_fields(V& v, Mount& m) {
  v.required("destination", m.destination);
  v.field("type", m.type);
  v.field("source", m.source);
  v.field("options", m.options);
  v.field("uidMappings", m.uid_mappings);
  v.field("gidMappings", m.gid_mappings);
}

template <typename V>
void visit_fields(V& v, Hook& m) {
  v.required("path", m.path);
  v.field("args", m.args);
  v.field("env", m.env);
  v.field("timeout", m.timeout);
}

template <typename V>
void visit_fields(V& v, Hooks& m) {
  v.field("prestart", m.prestart);
  v.field("createRuntime", m.create_runtime);
  v.field("createContainer", m.create_container);
  v.field("startContainer", m.start_container);
  v.field("poststart", m.poststart);
  v.field("poststop", m.poststop);
}

template <typename V>
void visit_fields(V& v, Namespace& m) {
  v.required("type", m.type);
  v.field("path", m.path);
}

template <typename V>
void visit_fields(V& v, Device& m) {
  v.required("type", m.type);
  v.required("path", m.path);
  v.field("major", m.major);
  v.field("minor", m.minor);
  v.field("fileMode", m.file_mode);
  v.field("uid", m.uid);
  v.field("gid", m.gid);
}

template <typename V>
void visit_fields(V& v, DeviceRule& m) {
  v.required("allow", m.allow);
  v.field("type", m.type);
  v.field("major", m.major);
  v.field("minor", m.minor);
  v.field("access", m.access);
}

// kernel and useHierarchy are obsolete: skipped.
template <typename V>
void visit_fields(V& v, MemoryResources& m) {
  v.field("limit", m.limit);
  v.field("reservation", m.reservation);
  v.field("swap", m.swap);
  v.field("swappiness", m.swappiness);
  v.field("disableOOMKiller", m.disable_oom_killer);
  v.field("kernelTCP", m.kernel_tcp);
  v.field("checkBeforeUpdate", m.check_before_update);
}

template <typename V>
void visit_fields(V& v, CpuResources& m) {
  v.field("shares", m.shares);
  v.field("quota", m.quota);
  v.field("burst", m.burst);
  v.field("period", m.period);
  v.field("realtimeRuntime", m.realtime_runtime);
  v.field("realtimePeriod", m.realtime_period);
  v.field("cpus", m.cpus);
  v.field("mems", m.mems);
  v.field("idle", m.idle);
}

template <typename V>
void visit_fields(V& v, PidsResources& m) {
  v.field("limit", m.limit);
}

template <typename V>
void visit_fields(V& v, BlockIoWeight& m) {
  v.required("major", m.major);
  v.required("minor", m.minor);
  v.field("weight", m.weight);
  v.field("leafWeight", m.leaf_weight);
}

template <typename V>
void visit_fields(V& v, BlockIoThrottle& m) {
  v.required("major", m.major);
  v.required("minor", m.minor);
  v.field("rate", m.rate);
}

template <typename V>
void visit_fields(V& v, BlockIoResources& m) {
  v.field("weight", m.weight);
  v.field("leafWeight", m.leaf_weight);
  v.field("weightDevice", m.weight_devices);
  v.field("throttleReadBpsDevice", m.read_bps);
  v.field("throttleWriteBpsDevice", m.write_bps);
  v.field("throttleReadIOPSDevice", m.read_iops);
  v.field("throttleWriteIOPSDevice", m.write_iops);
}

template <typename V>
void visit_fields(V& v, HugepageLimit& m) {
  v.required("pageSize", m.page_size);
  v.required("limit", m.limit);
}

template <typename V>
void visit_fields(V& v, RdmaLimit& m) {
  v.field("hcaHandles", m.handles);
  v.field("hcaObjects", m.objects);
}

template <typename V>
void visit_fields(V& v, InterfacePriority& m) {
  v.required("name", m.name);
  v.required("priority", m.priority);
}

template <typename V>
void visit_fields(V& v, NetworkResources& m) {
  v.field("classID", m.class_id);
  v.field("priorities", m.priorities);
}

template <typename V>
void visit_fields(V& v, Resources& m) {
  v.field("devices", m.devices);
  v.field("memory", m.memory);
  v.field("cpu", m.cpu);
  v.field("pids", m.pids);
  v.field("blockIO", m.block_io);
  v.field("hugepageLimits", m.hugepage_limits);
  v.field("unified", m.unified);
  v.field("network", m.network);
  v.field("rdma", m.rdma);
}

template <typename V>
void visit_fields(V& v, SeccompArg& m) {
  v.required("index", m.index);
  v.required("value", m.value);
  v.field("valueTwo", m.value_two);
  v.required("op", m.op);
}

template <typename V>
void visit_fields(V& v, SeccompRule& m) {
  v.required("names", m.names);
  v.required("action", m.action);
  v.field("errnoRet", m.errno_ret);
  v.field("args", m.args);
}

template <typename V>
void visit_fields(V& v, SeccompProfile& m) {
  v.required("defaultAction", m.default_action);
  v.field("defaultErrnoRet", m.default_errno_ret);
  v.field("architectures", m.architectures);
  v.field("flags", m.flags);
  v.field("syscalls", m.syscalls);
  v.field("listenerPath", m.listener_path);
  v.field("listenerMetadata", m.listener_metadata);
}

template <typename V>
void visit_fields(V& v, TimeOffset& m) {
  v.field("secs", m.secs);
  v.field("nanosecs", m.nanosecs);
}

template <typename V>
void visit_fields(V& v, TimeOffsets& m) {
  v.field("monotonic", m.monotonic);
  v.field("boottime", m.boottime);
}

template <typename V>
void visit_fields(V& v, Personality& m) {
  v.required("domain", m.domain);
  v.field("flags", m.flags);
}

template <typename V>
void visit_fields(V& v, MemoryPolicy& m) {
  v.required("mode", m.mode);
  v.field("nodes", m.nodes);
  v.field("flags", m.flags);
}

template <typename V>
void visit_fields(V& v, NetDevice& m) {
  v.field("name", m.name);
}

template <typename V>
void visit_fields(V& v, IntelRdt& m) {
  v.field("closID", m.clos_id);
  v.field("l3CacheSchema", m.l3_cache_schema);
  v.field("memBwSchema", m.mem_bw_schema);
  v.field("schemata", m.schemata);
  v.field("enableMonitoring", m.enable_monitoring);
}

template <typename V>
void visit_fields(V& v, Linux& m) {
  v.field("uidMappings", m.uid_mappings);
  v.field("gidMappings", m.gid_mappings);
  v.field("sysctl", m.sysctl);
  v.field("resources", m.resources);
  v.field("cgroupsPath", m.cgroups_path);
  v.field("namespaces", m.namespaces);
  v.field("devices", m.devices);
  v.field("timeOffsets", m.time_offsets);
  v.field("rootfsPropagation", m.rootfs_propagation);
  v.field("maskedPaths", m.masked_paths);
  v.field("readonlyPaths", m.readonly_paths);
  v.field("seccomp", m.seccomp);
  v.field("mountLabel", m.mount_label);
  v.field("memoryPolicy", m.memory_policy);
  v.field("personality", m.personality);
  v.field("intelRdt", m.intel_rdt);
  v.field("netDevices", m.net_devices);
}

template <typename V>
void visit_fields(V& v, Spec& m) {
  v.required("ociVersion", m.oci_version);
  v.field("process", m.process);
  v.field("root", m.root);
  v.field("hostname", m.hostname);
  v.field("domainname", m.domainname);
  v.field("mounts", m.mounts);
  v.field("hooks", m.hooks);
  v.field("annotations", m.annotations);
  v.field("linux", m.linux_);
}

}  // namespace berth::container
