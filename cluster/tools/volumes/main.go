// Volumes provisions the cluster's default StorageClass: each claim gets a folder of the node.
//
// The usual provisioner for this starts a Pod for every folder and looks at it once a second, which
// costs each new claim two to four seconds. On a cluster of one node the folder can be made at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

const (
	provisioner      = "terminal-operator.dev/node-folders"
	root             = "/folders"
	provisionerKey   = "volume.kubernetes.io/storage-provisioner"
	provisionedByKey = "pv.kubernetes.io/provisioned-by"
	selectedNodeKey  = "volume.kubernetes.io/selected-node"
	hostnameKey      = "kubernetes.io/hostname"
	resync           = time.Minute
	deadline         = 10 * time.Second
)

// task asks for one look at a claim, or at a volume when namespace is empty.
type task struct{ namespace, name string }

type controller struct {
	client  kubernetes.Interface
	claims  cache.SharedIndexInformer
	volumes cache.SharedIndexInformer
	queue   workqueue.TypedRateLimitingInterface[task]
	folder  string // of the node, as the kubelet sees it
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: volumes FOLDER-OF-THE-NODE (mounted at " + root + ")")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config, err := rest.InClusterConfig()
	if err != nil {
		log.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		log.Fatal(err)
	}
	if err := newController(client, os.Args[1]).run(ctx); err != nil {
		log.Fatal(err)
	}
}

func newController(client kubernetes.Interface, folder string) *controller {
	factory := informers.NewSharedInformerFactory(client, resync)
	c := &controller{
		client:  client,
		claims:  factory.Core().V1().PersistentVolumeClaims().Informer(),
		volumes: factory.Core().V1().PersistentVolumes().Informer(),
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[task]()),
		folder:  folder,
	}
	return c
}

func (c *controller) run(ctx context.Context) error {
	enqueue := cache.ResourceEventHandlerFuncs{
		AddFunc:    c.enqueue,
		UpdateFunc: func(_, changed any) { c.enqueue(changed) },
	}
	for _, informer := range []cache.SharedIndexInformer{c.claims, c.volumes} {
		if _, err := informer.AddEventHandler(enqueue); err != nil {
			return err
		}
		go informer.RunWithContext(ctx)
	}
	if !cache.WaitForCacheSync(ctx.Done(), c.claims.HasSynced, c.volumes.HasSynced) {
		return errors.New("ended before the first listing was complete")
	}
	context.AfterFunc(ctx, c.queue.ShutDown)
	for c.next(ctx) {
	}
	return nil
}

func (c *controller) enqueue(object any) {
	if thing, ok := object.(metav1.Object); ok {
		c.queue.Add(task{thing.GetNamespace(), thing.GetName()})
	}
}

func (c *controller) next(ctx context.Context) bool {
	wanted, shutdown := c.queue.Get()
	if shutdown {
		return false
	}
	defer c.queue.Done(wanted)
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	if err := c.reconcile(ctx, wanted); err != nil {
		log.Printf("%s/%s: %v; will try again", wanted.namespace, wanted.name, err)
		c.queue.AddRateLimited(wanted)
		return true
	}
	c.queue.Forget(wanted)
	return true
}

func (c *controller) reconcile(ctx context.Context, wanted task) error {
	if wanted.namespace == "" {
		found, exists, err := c.volumes.GetStore().GetByKey(wanted.name)
		if err != nil || !exists {
			return err
		}
		return c.reclaim(ctx, found.(*corev1.PersistentVolume))
	}
	found, exists, err := c.claims.GetStore().GetByKey(wanted.namespace + "/" + wanted.name)
	if err != nil || !exists {
		return err
	}
	return c.provision(ctx, found.(*corev1.PersistentVolumeClaim))
}

// provision makes the folder and the volume of a claim whose Pod has been given a node.
func (c *controller) provision(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	node := claim.Annotations[selectedNodeKey]
	if claim.Annotations[provisionerKey] != provisioner || claim.Spec.VolumeName != "" || node == "" {
		return nil
	}
	name := "pvc-" + string(claim.UID)
	if err := makeFolder(filepath.Join(root, name)); err != nil {
		return err
	}
	volume := newVolume(claim, name, filepath.Join(c.folder, name), node)
	_, err := c.client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// reclaim removes the folder and the volume of a claim that is gone.
func (c *controller) reclaim(ctx context.Context, volume *corev1.PersistentVolume) error {
	ours := volume.Annotations[provisionedByKey] == provisioner
	if !ours || volume.Status.Phase != corev1.VolumeReleased || volume.DeletionTimestamp != nil ||
		volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(root, volume.Name)); err != nil {
		return fmt.Errorf("removing the folder: %w", err)
	}
	err := c.client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

func makeFolder(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	return os.Chmod(path, 0o777) // MkdirAll's mode is cut by the umask; any uid may be the Pod's
}

func newVolume(claim *corev1.PersistentVolumeClaim, name, path, node string) *corev1.PersistentVolume {
	kind := corev1.HostPathDirectory
	onNode := corev1.NodeSelectorRequirement{
		Key: hostnameKey, Operator: corev1.NodeSelectorOpIn, Values: []string{node},
	}
	terms := []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{onNode}}}
	volume := &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{provisionedByKey: provisioner},
		},
		Spec: corev1.PersistentVolumeSpec{
			AccessModes: claim.Spec.AccessModes,
			Capacity: corev1.ResourceList{
				corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage],
			},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: "PersistentVolumeClaim",
				Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimDelete,
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: path, Type: &kind},
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: terms}},
			VolumeMode:   claim.Spec.VolumeMode,
		},
	}
	if claim.Spec.StorageClassName != nil {
		volume.Spec.StorageClassName = *claim.Spec.StorageClassName
	}
	return volume
}
