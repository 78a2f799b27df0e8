/*
 * vectors-hnswlib.cc: tests/bench/vectors.c for hnswlib: M 16, ef_construction
 * 128, inner product.
 *
 *	build ROWS N DIM FILE            CPU seconds, megabytes
 *	ask FILE N DIM QUERIES TRUTH EF  recall, CPU ms of a query
 *	once FILE N DIM QUERIES          loads, asks once
 */
#include <hnswlib/hnswlib.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

struct near {
	float score;
	int64_t n;
};

static double now()
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return static_cast<double>(t.tv_sec) +
	       static_cast<double>(t.tv_nsec) / 1e9;
}

static std::vector<char> read_all(const char *path)
{
	std::ifstream f(path, std::ios::binary | std::ios::ate);
	std::vector<char> v(static_cast<size_t>(f.tellg()));

	f.seekg(0);
	f.read(v.data(), static_cast<std::streamsize>(v.size()));
	return v;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 64;
	const std::string verb = argv[1];
	const size_t n = strtoul(argv[3], nullptr, 10);
	const size_t dim = strtoul(argv[4], nullptr, 10);
	hnswlib::InnerProductSpace space(dim);

	if (verb == "build") {
		std::vector<char> rows = read_all(argv[2]);
		const float *v = reinterpret_cast<float *>(rows.data());
		double start = now();
		hnswlib::HierarchicalNSW<float> index(&space, n, 16, 128);

		for (size_t i = 0; i < n; i++)
			index.addPoint(v + i * dim, i + 1);
		index.saveIndex(argv[5]);
		printf("%.1f\n", now() - start);
		return 0;
	}
	std::vector<char> queries = read_all(argv[5]);
	const float *q = reinterpret_cast<float *>(queries.data());
	hnswlib::HierarchicalNSW<float> index(&space, argv[2]);

	index.setEf(argc > 7 ? strtoul(argv[7], nullptr, 10) : 64);
	if (verb == "once") {
		printf("%zu\n", index.searchKnn(q, 10).top().second);
		return 0;
	}
	std::vector<char> bytes = read_all(argv[6]);
	const near *truth = reinterpret_cast<near *>(bytes.data());
	size_t count = bytes.size() / sizeof(*truth) / 10, found = 0;
	double start = now();

	for (size_t i = 0; i < count; i++) {
		auto out = index.searchKnn(q + i * dim, 10);

		for (; !out.empty(); out.pop())
			found += 1 - out.top().first >=
				 truth[i * 10 + 9].score - 1e-6f;
	}
	printf("%.4f %.3f\n", static_cast<double>(found) /
	       static_cast<double>(count * 10), (now() - start) * 1e3 /
	       static_cast<double>(count));
	return 0;
}
