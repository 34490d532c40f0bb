// SPDX-License-Identifier: Apache-2.0

package generate

// ofRole are the fields that each role has for itself, and ofBoth those that it may have.
var (
	ofRole = []string{"peers", "template", "backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes", "podFailurePolicy", "successPolicy", "podReplacementPolicy", "scheduling"}
	ofBoth = []string{"job", "suspend", "activeDeadlineSeconds", "ttlSecondsAfterFinished", "managedBy"}
)

// setRoles makes the short form a role, and adds others.
func (g *generator) setRoles(spec Object) {
	// Several roles have several times as many values, and are to go wrong no more often.
	defer func(rate float64) { g.rate = rate }(g.rate)
	g.rate /= 3
	names := List{"launcher", "worker", "ps", "data-loader", "0"}
	start := g.IntN(len(names))
	name := func(i int) any {
		return g.value(right(names[(start+i)%len(names)]).wrongly("Worker", "a_b", "", "world", "a.b", g.longLabel(64)))
	}
	if !g.goesWrong() {
		// All roles together have no more peers than one.
		spec["peers"] = g.value(right(1, 2, 3, 11, 100, 99000))
	}
	roles := List{g.role(spec, name(0))}
	for i := range g.IntN(3) {
		other := g.shortForm(g.value(right(1, 2, 3, 10, 100).wrongly(0, -1, 100001)))
		for _, field := range []string{"barrier", "failurePolicy"} {
			delete(other, field)
			if spec[field] != nil {
				other[field] = spec[field]
			}
		}
		delete(other, "framework")
		g.fitFailurePolicy(other)
		if (other["failurePolicy"] == nil) != (spec["failurePolicy"] == nil) {
			continue
		}
		g.setRunner(other)
		roles = append(roles, g.role(other, name(i+1)))
	}
	spec["roles"] = roles
	g.setDependencies(spec, roles)
	g.setRolesFramework(spec, roles)
}

// role moves the fields of a role out of a spec.
func (g *generator) role(spec Object, name any) Object {
	role := Object{"name": name}
	move := func(field string) {
		if value, found := spec[field]; found {
			role[field] = value
			delete(spec, field)
		}
	}
	for _, field := range ofRole {
		move(field)
	}
	for _, field := range ofBoth {
		if g.chance(0.5) {
			move(field)
		}
	}
	if g.chance(0.2) {
		role["job"] = g.object(field{"labels", 0.7, g.labels}, field{"annotations", 0.5, g.annotations})
	}
	return role
}

// setDependencies lets roles wait for those before them, and end with others.
func (g *generator) setDependencies(spec Object, roles List) {
	if spec["runner"] == nil && !g.goesWrong() {
		return
	}
	for i := 1; i < len(roles); i++ {
		if g.chance(0.5) {
			before := roles[g.IntN(i)].(Object)["name"]
			roles[i].(Object)["dependsOn"] = List{g.object(
				field{"name", always, right(before).wrongly("nobody", "")},
				field{"status", always, right("Started", "Complete").wrongly("Ready", "")},
			)}
		}
	}
	if g.chance(0.5) {
		spec["successRoles"] = List{g.value(right(roles[0].(Object)["name"]).wrongly("nobody", ""))}
		// Who waits for the end of the group never runs.
		for _, role := range roles {
			if dependsOn, found := role.(Object)["dependsOn"].(List); found && !g.goesWrong() {
				dependsOn[0].(Object)["status"] = "Started"
			}
		}
	}
	for _, role := range roles {
		if !g.goesWrong() {
			delete(role.(Object), "successPolicy")
		}
	}
}
