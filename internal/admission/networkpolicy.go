// SPDX-License-Identifier: Apache-2.0

package admission

import (
	"reflect"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/kubernetes/pkg/apis/networking"
	networkinginternal "k8s.io/kubernetes/pkg/apis/networking/v1"
	networkingvalidation "k8s.io/kubernetes/pkg/apis/networking/validation"
)

// checkNetworkPolicy leaves out the server's warnings: they are about blocks of addresses,
// and peerjob writes none.
func checkNetworkPolicy(object *networkingv1.NetworkPolicy) (field.ErrorList, []string) {
	object = object.DeepCopy()
	dropEmpty(reflect.ValueOf(object).Elem())
	if object.Namespace == "" {
		object.Namespace = anyNamespace
	}
	networkinginternal.SetObjectDefaults_NetworkPolicy(object)
	policy := &networking.NetworkPolicy{}
	if err := networkinginternal.Convert_v1_NetworkPolicy_To_networking_NetworkPolicy(object, policy, nil); err != nil {
		return field.ErrorList{field.InternalError(field.NewPath("spec"), err)}, nil
	}
	return networkingvalidation.ValidateNetworkPolicy(policy, networkingvalidation.ValidationOptionsForNetworking(policy, nil)), nil
}
