// Package kubernetes checks the manifests of deploy/kubernetes against Kubernetes' published types.
package kubernetes

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// manifests are all objects of the files.
type manifests struct {
	deployment appsv1.Deployment
	service    corev1.Service
	scaler     autoscalingv2.HorizontalPodAutoscaler
	budget     policyv1.PodDisruptionBudget
	job        batchv1.Job
}

// object returns where to store an object. It is nil for other objects.
func (m *manifests) object(version, kind string) any {
	return map[string]any{
		"apps/v1 Deployment":                     &m.deployment,
		"v1 Service":                             &m.service,
		"autoscaling/v2 HorizontalPodAutoscaler": &m.scaler,
		"policy/v1 PodDisruptionBudget":          &m.budget,
		"batch/v1 Job":                           &m.job,
	}[version+" "+kind]
}

// read reads all files. A field that the published types do not have, a field that stands twice,
// and a value of another type are errors.
func read(t *testing.T) *manifests {
	t.Helper()
	m, found := new(manifests), 0
	files, err := filepath.Glob("../../deploy/kubernetes/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for part := range bytes.SplitSeq(text, []byte("\n---\n")) {
			var is struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal(part, &is); err != nil {
				t.Fatal(err)
			}
			object := m.object(is.APIVersion, is.Kind)
			if object == nil {
				t.Fatalf("%s has a %s of %s, which this test does not know", file, is.Kind, is.APIVersion)
			}
			if err := yaml.UnmarshalStrict(part, object); err != nil {
				t.Errorf("%s, %s: %v", file, is.Kind, err)
			}
			found++
		}
	}
	if found != 5 {
		t.Fatalf("%d objects, want 5", found)
	}
	return m
}

// TestManifests checks what the objects say about each other.
func TestManifests(t *testing.T) {
	m := read(t)
	labels := m.deployment.Spec.Template.Labels
	for name, selected := range map[string]map[string]string{
		"Deployment":          m.deployment.Spec.Selector.MatchLabels,
		"Service":             m.service.Spec.Selector,
		"PodDisruptionBudget": m.budget.Spec.Selector.MatchLabels,
		"spread":              m.deployment.Spec.Template.Spec.TopologySpreadConstraints[0].LabelSelector.MatchLabels,
	} {
		if !reflect.DeepEqual(selected, labels) {
			t.Errorf("%s selects %v, the pods have %v", name, selected, labels)
		}
	}
	if reflect.DeepEqual(m.job.Spec.Template.Labels, labels) {
		t.Error("the Service would send requests to the migration")
	}
	if target := m.scaler.Spec.ScaleTargetRef; target.Kind != m.deployment.Kind || target.Name != m.deployment.Name || target.APIVersion != m.deployment.APIVersion {
		t.Errorf("the scaler scales %v", target)
	}
	if m.deployment.Spec.Replicas != nil || *m.scaler.Spec.MinReplicas < 2 {
		t.Error("the Deployment and the scaler disagree about replicas, or a server cannot be drained")
	}
	server, migration := m.deployment.Spec.Template.Spec.Containers[0], m.job.Spec.Template.Spec.Containers[0]
	if server.Image != migration.Image {
		t.Errorf("the server is %s, its migration %s", server.Image, migration.Image)
	}
	if port := m.service.Spec.Ports[0].TargetPort.StrVal; port != server.Ports[0].Name {
		t.Errorf("the Service sends to %s", port)
	}
}

// TestProbes checks that probes and times fit what docs/operations.md says about them.
func TestProbes(t *testing.T) {
	pod := read(t).deployment.Spec.Template.Spec
	server := pod.Containers[0]
	for path, probe := range map[string]*corev1.Probe{"/readyz": server.ReadinessProbe, "/healthz": server.LivenessProbe} {
		if get := probe.HTTPGet; get.Path != path || get.Port.StrVal != server.Ports[0].Name {
			t.Errorf("the probe for %s asks %v", path, get)
		}
	}
	var delay time.Duration
	for _, v := range server.Env {
		if v.Name == "SHUTDOWN_DELAY" {
			delay, _ = time.ParseDuration(v.Value)
		}
	}
	ready := server.ReadinessProbe
	if noticed := time.Duration(ready.PeriodSeconds*ready.FailureThreshold) * time.Second; delay < noticed {
		t.Errorf("SHUTDOWN_DELAY is %s, and it takes %s until no requests are sent", delay, noticed)
	}
	if grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second; grace < delay+35*time.Second {
		t.Errorf("a pod is killed after %s, and needs %s", grace, delay+35*time.Second)
	}
}

// TestPodsAreRestricted checks what the policy "restricted" of Kubernetes' Pod Security Standards
// demands, and more.
func TestPodsAreRestricted(t *testing.T) {
	m := read(t)
	for name, pod := range map[string]corev1.PodSpec{"server": m.deployment.Spec.Template.Spec, "migration": m.job.Spec.Template.Spec} {
		if s := pod.SecurityContext; !*s.RunAsNonRoot || *s.RunAsUser != 65532 || s.SeccompProfile.Type != corev1.SeccompProfileTypeRuntimeDefault || *pod.AutomountServiceAccountToken {
			t.Errorf("the %s's pod is not restricted: %v", name, s)
		}
		c := pod.Containers[0]
		if s := c.SecurityContext; *s.AllowPrivilegeEscalation || !*s.ReadOnlyRootFilesystem || !reflect.DeepEqual(s.Capabilities.Drop, []corev1.Capability{"ALL"}) {
			t.Errorf("the %s's container is not restricted: %v", name, s)
		}
		if c.Resources.Limits.Memory().IsZero() || c.Resources.Requests.Cpu().IsZero() {
			t.Errorf("the %s has no resources", name)
		}
		if len(c.EnvFrom) != 1 || c.EnvFrom[0].SecretRef == nil {
			t.Errorf("the %s gets its secrets from %v", name, c.EnvFrom)
		}
	}
}
