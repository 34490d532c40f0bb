// SPDX-License-Identifier: Apache-2.0

package pod

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/kubernetes/pkg/fieldpath"
	"k8s.io/kubernetes/third_party/forked/golang/expansion"
)

// Container is one container's program, ready to be run.
type Container struct {
	Name string
	// Argv is the command and the arguments, "$(VAR)" expanded.
	Argv []string
	// Env is the whole environment, as "NAME=value".
	Env []string
	// Dir is the working directory.
	Dir string
	// User and Group are the numbers that it runs as; Groups are further ones.
	User, Group int
	Groups      []int
	// Files are the files of its image.
	Files []File
	// Mounts are where it sees the Pod's volumes.
	Mounts []Mount
}

// Mount is a volume, or one file or folder of it, at an absolute path.
type Mount struct {
	Volume, SubPath, Path string
	ReadOnly              bool
}

// path is where a program is looked for, as in most images.
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

func (o *Objects) container(object *corev1.Pod, c *corev1.Container, image Image) (Container, error) {
	variables, err := o.variables(object, c)
	if err != nil {
		return Container{}, err
	}
	expand := expansion.MappingFuncFor(variables)
	command := image.Entrypoint
	if len(c.Command) > 0 {
		command = nil
		for _, word := range c.Command {
			command = append(command, expansion.Expand(word, expand))
		}
	}
	if len(command) == 0 {
		return Container{}, fmt.Errorf("has no command, and its image none either")
	}
	for _, word := range c.Args {
		command = append(command[:len(command):len(command)], expansion.Expand(word, expand))
	}
	environment := with(map[string]string{"PATH": path, "HOME": "/root"}, image.Env)
	environment = with(environment, map[string]string{
		"HOSTNAME": object.Spec.Hostname,
		// The kubelet sets these in every Pod, service links or not.
		"KUBERNETES_SERVICE_HOST": "10.96.0.1",
		"KUBERNETES_SERVICE_PORT": "443",
	})
	environment = with(environment, variables)
	out := Container{Name: c.Name, Argv: command, Dir: c.WorkingDir, Files: image.Files}
	if out.Dir == "" {
		out.Dir = image.Dir
	}
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		out.Env = append(out.Env, name+"="+environment[name])
	}
	identity(&out, object.Spec.SecurityContext, c.SecurityContext)
	for _, mount := range c.VolumeMounts {
		if mount.SubPathExpr != "" || mount.MountPropagation != nil {
			return Container{}, fmt.Errorf("mount %s: subPathExpr and mountPropagation are not known here", mount.MountPath)
		}
		out.Mounts = append(out.Mounts, Mount{Volume: mount.Name, SubPath: mount.SubPath, Path: mount.MountPath, ReadOnly: mount.ReadOnly})
	}
	return out, nil
}

// identity sets the user and the groups of a container: its own before those of
// the Pod, and root where neither says, as in the images of the examples.
func identity(out *Container, ofPod *corev1.PodSecurityContext, own *corev1.SecurityContext) {
	set := func(to *int, from *int64) {
		if from != nil {
			*to = int(*from)
		}
	}
	if ofPod != nil {
		set(&out.User, ofPod.RunAsUser)
		set(&out.Group, ofPod.RunAsGroup)
		for _, group := range ofPod.SupplementalGroups {
			out.Groups = append(out.Groups, int(group))
		}
		if ofPod.FSGroup != nil {
			out.Groups = append(out.Groups, int(*ofPod.FSGroup))
		}
	}
	if own != nil {
		set(&out.User, own.RunAsUser)
		set(&out.Group, own.RunAsGroup)
	}
}

// variables are the variables of a container, in the way of
// makeEnvironmentVariables in k8s.io/kubernetes/pkg/kubelet/kubelet_pods.go: a
// "$(VAR)" sees only what stands before it.
func (o *Objects) variables(object *corev1.Pod, c *corev1.Container) (map[string]string, error) {
	values := map[string]string{}
	for _, from := range c.EnvFrom {
		switch {
		case from.ConfigMapRef != nil && o.ConfigMaps[from.ConfigMapRef.Name] != nil:
			for key, value := range o.ConfigMaps[from.ConfigMapRef.Name].Data {
				values[from.Prefix+key] = value
			}
		case from.SecretRef != nil && o.Secrets[from.SecretRef.Name] != nil:
			for key, value := range o.Secrets[from.SecretRef.Name].Data {
				values[from.Prefix+key] = string(value)
			}
		default:
			return nil, fmt.Errorf("envFrom: what it names is not there")
		}
	}
	expand := expansion.MappingFuncFor(values)
	for _, variable := range c.Env {
		value := variable.Value
		if value != "" {
			value = expansion.Expand(value, expand)
		} else if variable.ValueFrom != nil {
			var err error
			if value, err = o.source(object, variable.ValueFrom); err != nil {
				return nil, fmt.Errorf("variable %s: %w", variable.Name, err)
			}
		}
		values[variable.Name] = value
	}
	return values, nil
}

// source is the value that a variable takes from elsewhere.
func (o *Objects) source(object *corev1.Pod, from *corev1.EnvVarSource) (string, error) {
	switch {
	case from.FieldRef != nil && from.FieldRef.FieldPath == "status.podIP":
		return object.Status.PodIP, nil
	case from.FieldRef != nil:
		return fieldpath.ExtractFieldPathAsString(object, from.FieldRef.FieldPath)
	case from.ConfigMapKeyRef != nil:
		if configMap := o.ConfigMaps[from.ConfigMapKeyRef.Name]; configMap != nil {
			if value, found := configMap.Data[from.ConfigMapKeyRef.Key]; found {
				return value, nil
			}
		}
	case from.SecretKeyRef != nil:
		if secret := o.Secrets[from.SecretKeyRef.Name]; secret != nil {
			if value, found := secret.Data[from.SecretKeyRef.Key]; found {
				return string(value), nil
			}
		}
	}
	return "", fmt.Errorf("what it refers to is not there, or not known here")
}
