#pragma once
#include <cstdint>
#include <random>
namespace xgrad {
class Generator { public: explicit Generator(std::uint64_t s=0):g(s){} 
 template<class T> void uniform(T*o,std::int64_t n,double l,double h){ std::uniform_real_distribution<double> d(l,h); for(std::int64_t i=0;i<n;++i)o[i]=T(d(g)); }
 template<class T> void normal(T*o,std::int64_t n,double l,double h){ std::normal_distribution<double> d(l,h); for(std::int64_t i=0;i<n;++i)o[i]=T(d(g)); }
 void integers(std::int64_t*o,std::int64_t n,std::int64_t l,std::int64_t h){for(std::int64_t i=0;i<n;++i)o[i]=l+std::int64_t(g()%std::uint64_t(h-l));}
 void permutation(std::int64_t*o,std::int64_t n){for(std::int64_t i=0;i<n;++i)o[i]=i;}
 std::mt19937_64 g; };
inline Generator& default_generator(){ static thread_local Generator g; return g; }
}
