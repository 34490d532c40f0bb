// SPDX-License-Identifier: Apache-2.0

package generate

import "fmt"

func (p *pod) setVolumes(o Object) {
	if !p.chance(0.45) {
		return
	}
	var volumes List
	names := []string{"data", "v", "shm", p.longLabel(63)}
	for i := range 1 + p.IntN(3) {
		kinds := p.sources()
		source := one(p.generator, kinds...)
		if p.goesWrong() {
			source = field{"emptyDir", always, Object{}}
		}
		volume := Object{source.name: p.value(source.value)}
		if p.goesWrong() {
			volume[one(p.generator, "hostPath", "emptyDir", "secret")] = Object{}
		}
		volume["name"] = p.value(right(names[i]).wrongly("", "Data", "a.b", "data", p.longLabel(64)))
		volumes = append(volumes, volume)
		switch source.name {
		case "persistentVolumeClaim", "ephemeral":
			p.devices = append(p.devices, volume["name"])
			if p.chance(0.3) {
				continue
			}
		case "emptyDir":
			p.emptyDirs = append(p.emptyDirs, volume["name"])
		}
		p.volumes = append(p.volumes, volume["name"])
	}
	if p.goesWrong() {
		volumes = append(volumes, one(p.generator, any(Object{"name": "none"}), volumes[0]))
	}
	o["volumes"] = volumes
}

// sources are the kinds of volumes.
func (p *pod) sources() []field {
	readOnly, fsType, name := field{"readOnly", 0.2, yesOrNo}, field{"fsType", 0.2, right("ext4", "", "xfs")}, right("x", "a-b").wrongly("")
	kind := func(name string, fields ...field) field {
		return field{name, always, func() any { return p.object(fields...) }}
	}
	recentKind := func(name string, fields ...field) field {
		if p.old {
			return kind("emptyDir")
		}
		return kind(name, fields...)
	}
	secretRef := field{"secretRef", 0.3, p.localReference}
	common := []field{
		kind("emptyDir", field{"medium", 0.4, right("Memory", "", "HugePages", "HugePages-2Mi").wrongly("memory", "HugePages-x")}, field{"sizeLimit", 0.3, storageSize}),
		kind("configMap", field{"name", always, p.subdomain}, field{"items", 0.3, p.items}, field{"defaultMode", 0.2, mode}, field{"optional", 0.2, yesOrNo}),
		kind("secret", field{"secretName", always, p.subdomain}, field{"items", 0.3, p.items}, field{"defaultMode", 0.2, mode}, field{"optional", 0.2, yesOrNo}),
		kind("persistentVolumeClaim", field{"claimName", always, p.subdomain}, readOnly),
		kind("hostPath", field{"path", always, right("/dev/shm", "/", "relative", "/a").wrongly("", "/a/../b", "..")},
			field{"type", 0.4, right("", "Directory", "DirectoryOrCreate", "File", "Socket").wrongly("Dir", "directory")}),
		kind("downwardAPI", field{"items", always, func() any { return p.list(1, 2, p.downwardItem) }}, field{"defaultMode", 0.2, mode}),
		kind("projected", field{"sources", always, func() any { return p.list(1, 2, p.projection) }}, field{"defaultMode", 0.2, mode}),
		kind("ephemeral", field{"volumeClaimTemplate", always, p.claimTemplate}),
		kind("csi", field{"driver", always, right("csi.example.com", "a").wrongly("", "a b", "-x", p.longLabel(64))}, fsType, readOnly,
			field{"volumeAttributes", 0.3, Object{"k": "v"}}, field{"nodePublishSecretRef", 0.2, p.localReference}),
		recentKind("image", field{"reference", always, right("x:1", "registry.example/a").wrongly("", " x")}, field{"pullPolicy", 0.3, right("Always", "IfNotPresent").wrongly("always", "")}),
		kind("nfs", field{"server", always, name}, field{"path", always, right("/exports").wrongly("", "exports", "/a/../b")}, readOnly),
	}
	if p.chance(0.6) {
		return common
	}
	return []field{
		kind("gcePersistentDisk", field{"pdName", always, name}, field{"partition", 0.3, right(0, 255).wrongly(-1, 256)}, fsType, readOnly),
		kind("awsElasticBlockStore", field{"volumeID", always, name}, field{"partition", 0.3, right(0, 255).wrongly(-1, 256)}, fsType),
		kind("gitRepo", field{"repository", always, name}, field{"directory", 0.5, right("x", ".").wrongly("..", "/x", "a/../b")}, field{"revision", 0.3, "main"}),
		kind("iscsi", field{"targetPortal", always, right("10.0.0.1:3260").wrongly("")},
			field{"iqn", always, right("iqn.2001-04.com.example:storage", "eui.0123456789abcdef", "naa.62004567ba64678d").wrongly("", "iqn", "iqn.x", "eui.1")},
			field{"lun", 0.8, right(0, 255).wrongly(-1, 256)}, field{"initiatorName", 0.2, right("iqn.2001-04.com.example:x").wrongly("", "x")},
			field{"portals", 0.2, List{"10.0.0.2"}}, field{"iscsiInterface", 0.2, right("default", "")},
			field{"chapAuthDiscovery", 0.1, yesOrNo}, field{"chapAuthSession", 0.1, yesOrNo}, secretRef, fsType, readOnly),
		kind("glusterfs", field{"endpoints", always, name}, field{"path", always, right("x").wrongly("", "../x")}),
		kind("rbd", field{"monitors", always, right(List{"10.0.0.1:6789"}).wrongly(List{})}, field{"image", always, name},
			field{"pool", 0.2, right("rbd", "")}, field{"user", 0.2, "admin"}, field{"keyring", 0.2, "/etc/ceph/keyring"}, secretRef, fsType, readOnly),
		kind("flexVolume", field{"driver", always, name}, field{"options", 0.3, right(Object{"k": "v"}).wrongly(Object{"kubernetes.io/x": "v"})}, secretRef, fsType, readOnly),
		kind("cinder", field{"volumeID", always, name}, secretRef, fsType),
		kind("cephfs", field{"monitors", always, right(List{"10.0.0.1"}).wrongly(List{})}, field{"path", 0.2, right("/", "x")},
			field{"user", 0.2, "admin"}, field{"secretFile", 0.2, "/etc/ceph/secret"}, secretRef, readOnly),
		kind("flocker", field{"datasetName", always, right("x").wrongly("", "a/b")}),
		{"fc", always, p.fibreChannel},
		kind("azureFile", field{"secretName", always, name}, field{"shareName", always, name}),
		kind("azureDisk", field{"diskName", always, name}, field{"diskURI", always, right("https://x/y.vhd").wrongly("", "x", "/subscriptions/x")},
			field{"cachingMode", 0.3, right("None", "ReadOnly", "ReadWrite").wrongly("none", "")}, field{"kind", 0.3, right("Shared", "Dedicated").wrongly("Managed", "")}, fsType, readOnly),
		kind("vsphereVolume", field{"volumePath", always, name}, field{"storagePolicyID", 0.2, "id"}, field{"storagePolicyName", 0.2, "gold"}, fsType),
		kind("photonPersistentDisk", field{"pdID", always, name}),
		kind("quobyte", field{"registry", always, right("10.0.0.1:7861", "a:1,b:2").wrongly("", "a")}, field{"volume", always, name}, field{"tenant", 0.3, right("t").wrongly(p.longLabel(65))}),
		kind("portworxVolume", field{"volumeID", always, name}),
		kind("scaleIO", field{"gateway", always, name}, field{"system", always, name}, field{"secretRef", 0.9, p.localReference}, field{"volumeName", always, name},
			field{"protectionDomain", 0.2, "d"}, field{"storagePool", 0.2, "s"}, field{"storageMode", 0.2, "ThinProvisioned"}, field{"sslEnabled", 0.2, yesOrNo}, fsType, readOnly),
		kind("storageos", field{"volumeName", always, right("x").wrongly("", "X")}, field{"volumeNamespace", 0.3, p.label}, secretRef),
	}
}

func (p *pod) fibreChannel() any {
	o := p.union(
		field{"wwids", always, List{"3600508b400105e210000900000490000"}},
		field{"targetWWNs", always, List{"500a0982991b8dc5"}},
	)
	if o["targetWWNs"] != nil != p.goesWrong() {
		o["lun"] = p.value(right(0, 255).wrongly(-1, 256))
	}
	return o
}

func (p *pod) items() any {
	return p.list(1, 2, func() any {
		return p.object(field{"key", always, key}, field{"path", always, relativePath}, field{"mode", 0.3, mode})
	})
}

func (p *pod) downwardItem() any {
	o := p.union(
		field{"fieldRef", always, p.volumeFieldRef},
		field{"resourceFieldRef", always, func() any { return p.resourceFieldRef(true) }},
	)
	o["path"] = p.value(relativePath)
	if p.chance(0.3) {
		o["mode"] = p.value(mode)
	}
	return o
}

func (p *pod) volumeFieldRef() any {
	return p.object(field{"fieldPath", always, right(
		"metadata.name", "metadata.namespace", "metadata.uid", "metadata.labels", "metadata.annotations",
		"metadata.labels['job-name']", "metadata.annotations['x']",
	).wrongly("", "status.podIP", "spec.nodeName", "metadata.labels['']", "x")})
}

func (p *pod) projection() any {
	sources := []field{
		{"secret", always, p.projectedItems},
		{"configMap", always, p.projectedItems},
		{"downwardAPI", always, func() any {
			return p.object(field{"items", 0.9, func() any { return p.list(1, 2, p.downwardItem) }})
		}},
		{"serviceAccountToken", always, func() any {
			return p.object(
				field{"path", always, relativePath},
				field{"audience", 0.5, right("vault", "")},
				field{"expirationSeconds", 0.5, right(600, 3600, 4294967296).wrongly(599, 0, -1, 4294967297)},
			)
		}},
	}
	if !p.old {
		sources = append(sources, field{"clusterTrustBundle", always, p.trustBundle}, field{"podCertificate", always, p.certificate})
	}
	return p.union(sources...)
}

func (p *pod) projectedItems() any {
	return p.object(field{"name", always, p.subdomain}, field{"items", 0.4, p.items}, field{"optional", 0.2, yesOrNo})
}

func (p *pod) trustBundle() any {
	o := p.union(field{"name", always, right("bundle", "example.com:signer:b").wrongly("", "A b")}, field{"signerName", always, signerName})
	o["path"] = p.value(relativePath)
	if p.chance(0.2) {
		o["optional"] = p.value(yesOrNo)
	}
	if o["signerName"] != nil && p.chance(0.5) || p.goesWrong() {
		o["labelSelector"] = p.labelSelector()
	}
	return o
}

func (p *pod) certificate() any {
	return p.object(
		field{"signerName", always, signerName},
		field{"keyType", always, right("ED25519", "RSA3072", "ECDSAP256").wrongly("", "RSA1024", "rsa")},
		field{"credentialBundlePath", 0.8, relativePath},
		field{"keyPath", 0.2, relativePath},
		field{"certificateChainPath", 0.2, relativePath},
		field{"maxExpirationSeconds", 0.3, right(3600, 86400).wrongly(3599, 0, 7862401)},
		field{"userAnnotations", 0.2, p.annotations},
	)
}

func (p *pod) claimTemplate() any {
	modes := right(List{"ReadWriteOnce"}, List{"ReadWriteMany", "ReadOnlyMany"}, List{"ReadWriteOncePod"}).
		wrongly(List{}, List{"RWO"}, List{"ReadWriteOncePod", "ReadWriteOnce"})
	return p.object(
		field{"metadata", 0.3, func() any {
			return p.object(field{"labels", 0.5, p.labels}, field{"annotations", 0.5, p.annotations})
		}},
		field{"spec", always, func() any {
			return p.object(
				field{"accessModes", always, modes},
				field{"resources", always, func() any {
					amount := func() any { return p.object(field{"storage", always, storageSize}) }
					return p.object(field{"requests", always, amount}, field{"limits", 0.1, amount})
				}},
				field{"storageClassName", 0.3, right("fast", "").wrongly("Fast")},
				field{"volumeMode", 0.2, right("Block", "Filesystem").wrongly("block", "")},
				field{"selector", 0.1, p.labelSelector},
				field{"volumeName", 0.1, right("pv")},
				field{"volumeAttributesClassName", p.recent(0.1), right("gold").wrongly("", "Gold")},
				field{"dataSource", 0.1, func() any { return p.object(p.dataSource()...) }},
				field{"dataSourceRef", 0.05, func() any {
					return p.object(append(p.dataSource(), field{"namespace", 0.2, p.label})...)
				}},
			)
		}},
	)
}

// dataSource are the fields that name what a volume is filled from.
func (p *pod) dataSource() []field {
	return []field{
		{"apiGroup", 0.8, right("snapshot.storage.k8s.io").wrongly("", "a b")},
		{"kind", always, right("VolumeSnapshot", "PersistentVolumeClaim").wrongly("")},
		{"name", always, p.label},
	}
}

// mounts mount some of the volumes, each under a path of its own.
func (p *pod) mounts() any {
	mounts := List{}
	for i, name := range p.volumes {
		if p.chance(0.3) {
			continue
		}
		mount := p.object(
			field{"name", always, p.value(right(name).wrongly("missing", "", "Data"))},
			field{"mountPath", always, p.value(right(fmt.Sprintf("/mnt/%d", i), fmt.Sprint("rel", i)).wrongly("", "/a:b", "/mnt/0", "/mnt/../x"))},
			field{"readOnly", 0.2, yesOrNo},
			field{"mountPropagation", 0.05, right("None", "HostToContainer").wrongly("Bidirectional", "none", "")},
		)
		if p.chance(0.15) {
			mount["subPath"] = p.value(right("a", "a/b", "").wrongly("/a", "..", "a/../b"))
		} else if p.chance(0.1) {
			mount["subPathExpr"] = p.value(right("$(PEERJOB_NAME)", "a", "").wrongly("/a", "..", "../$(X)"))
		}
		if mount["readOnly"] == true && p.chance(p.recent(0.2)) || p.goesWrong() {
			mount["recursiveReadOnly"] = p.value(right("Disabled", "IfPossible", "Enabled").wrongly("enabled", ""))
		}
		if p.goesWrong() {
			mount["subPath"], mount["subPathExpr"] = "a", "b"
		}
		mounts = append(mounts, mount)
	}
	if p.goesWrong() {
		mounts = append(mounts, Object{"name": p.reference(append(p.devices, p.volumes...)), "mountPath": "/mnt/x"})
	}
	return mounts
}

// devicePaths use volumes as block devices.
func (p *pod) devicePaths() any {
	devices := List{}
	for i, name := range p.devices {
		mounted := false
		for _, other := range p.volumes {
			mounted = mounted || other == name
		}
		if mounted && !p.goesWrong() {
			continue
		}
		devices = append(devices, p.object(
			field{"name", always, p.value(right(name).wrongly("missing", ""))},
			field{"devicePath", always, p.value(right(fmt.Sprint("/dev/x", i)).wrongly("", "/a/../b", "/dev/x0"))},
		))
	}
	return devices
}
